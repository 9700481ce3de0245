// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTasks
import MUXTestSupport
import Testing

@Suite("The loss of a detector")
struct DetectionLossTests {
  private struct Losses: Decodable {
    var classification: Double
    var box: Double
    var total: Double
    var positives: Int
    var negatives: Int
  }

  @Test(
    "it is that of the public code, and so are the negatives that it takes",
    .enabled(if: Golden.has("ssd_loss.safetensors"), "\(Shared.absent)"))
  func golden() throws {
    let file = try Golden.tensors("ssd_loss.safetensors")
    let text = try #require(file.metadata["losses"])
    let expected = try JSONDecoder().decode(Losses.self, from: Data(text.utf8))
    let (logits, offsets) = (try #require(file["logits"]), try #require(file["offsets"]))
    let labels = try #require(file["labels"]).integers.map { Int($0) }
    let targets = try #require(file["targets"]).floats
    let negatives = try #require(file["negatives"])
    let (priors, classes) = (logits.shape[1], logits.shape[2])
    var loss = MultiBoxLoss()
    var merged = MultiBoxLoss()
    for image in 0..<logits.shape[0] {
      let rows = image * priors..<(image + 1) * priors
      let target = DetectionTargets(
        labels: Array(labels[rows]),
        offsets: Array(targets[4 * rows.lowerBound..<4 * rows.upperBound]))
      let own = Array(logits.floats[classes * rows.lowerBound..<classes * rows.upperBound])
      let boxes = Array(offsets.floats[4 * rows.lowerBound..<4 * rows.upperBound])
      loss.add(logits: own, offsets: boxes, targets: target)
      var part = MultiBoxLoss()
      part.add(logits: own, offsets: boxes, targets: target)
      merged.merge(part)
      let losses = (0..<priors).map { index in
        let row = own[index * classes..<(index + 1) * classes]
        return Float(-log(Double(Softmax.probabilities(row)[0])))
      }
      let chosen = HardNegatives.chosen(
        losses: losses, isPositive: target.labels.map { $0 > 0 })
      let flags = negatives.bytes.array
      for index in 0..<priors {
        let flag = flags[4 * (image * priors + index)] != 0
        #expect(chosen[index] == flag, "image \(image), default box \(index)")
      }
    }
    #expect(isClose(loss.classification, expected.classification))
    #expect(isClose(loss.box, expected.box) && isClose(loss.total, expected.total))
    #expect(loss.positives == expected.positives && loss.negatives == expected.negatives)
    #expect(isClose(merged.total, loss.total, 1e-12))
  }

  @Test("images without objects add nothing, and alone they give 0")
  func empty() {
    var loss = MultiBoxLoss()
    loss.add(
      logits: [1, 2, 3, 4], offsets: [Float](repeating: 9, count: 8),
      targets: DetectionTargets(labels: [0, 0], offsets: [Float](repeating: 0, count: 8)))
    #expect(loss == MultiBoxLoss())
    #expect(loss.total == 0)
  }

  @Test("negatives: the largest losses, the first of equals, no more than there are")
  func mining() {
    func chosen(_ losses: [Float], _ positives: Set<Int>) -> [Int] {
      let result = HardNegatives.chosen(
        losses: losses, isPositive: losses.indices.map(positives.contains))
      return result.indices.filter { result[$0] }
    }
    #expect(chosen([1, 2, 2, 2, 2, 0], [5]) == [1, 2, 3])
    #expect(chosen([1, 2, .nan, 3], [0]) == [1, 2, 3])
    #expect(chosen([1, .nan, 5, 4, 3, 2], [0]) == [2, 3, 4])
    #expect(chosen([1, 2, 3], []) == [])
    #expect(chosen([1, 2, 3], [0, 1, 2]) == [])
  }
}
