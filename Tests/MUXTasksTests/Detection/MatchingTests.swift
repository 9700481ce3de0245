// SPDX-License-Identifier: Apache-2.0
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Which default box learns which object")
struct MatchingTests {
  private struct File: Decodable {
    struct Case: Decodable {
      var name: String
      var priors: String
      var boxes: [[Double]]
      var labels: [Int]
      var positives: Int
      var matches: [[Int]]
      var bipartiteMatches: [[Int]]?
      var encodedOfFirstMatches: [[Double]]?
    }
    var threshold: Double
    var cases: [Case]
  }

  @Test(
    "matches are those of the public code, with either rule",
    .enabled(if: Golden.has("matching.json"), "\(Shared.absent)"))
  func golden() throws {
    let file = try Golden.json(File.self, "matching.json")
    let tensors = try Golden.tensors("matching_priors.safetensors")
    #expect(file.cases.count > 4 && file.cases.contains { $0.bipartiteMatches != nil })
    for entry in file.cases {
      let priors = PriorBoxes(rows: try #require(tensors[entry.priors]).floats)
      let edges = (0..<priors.count).map { priors[$0] }
      let boxes = entry.boxes.map { BoundingBox($0) }
      func pairs(_ rule: PriorMatching.Rule) -> [[Int]] {
        PriorMatching(threshold: file.threshold, rule: rule).objects(of: edges, boxes)
          .enumerated().compactMap { index, object in object.map { [index, $0] } }
      }
      let expected = entry.matches.map { Array($0.prefix(2)) }
      #expect(pairs(.lastWins) == expected, "\(entry.name)")
      #expect(pairs(.bipartite) == entry.bipartiteMatches ?? expected, "\(entry.name)")
      let targets = DetectionTargets(
        zip(entry.labels, boxes).map { ($0 - 1, $1) }, priors: priors, edges: edges,
        matching: PriorMatching(threshold: file.threshold), coding: BoxCoding())
      #expect(targets.positives == entry.positives, "\(entry.name)")
      for (match, values) in zip(entry.matches, entry.encodedOfFirstMatches ?? []) {
        #expect(targets.labels[match[0]] == match[2], "\(entry.name)")
        for place in 0..<4 {
          #expect(
            isClose(Double(targets.offsets[4 * match[0] + place]), values[place], 1e-4),
            "\(entry.name)")
        }
      }
    }
  }

  @Test("an object that no default box touches, or without an area, teaches nothing")
  func nothing() {
    let priors = PriorLayout.mobile300.boxes
    let edges = (0..<priors.count).map { priors[$0] }
    for box in [
      BoundingBox(left: 4, top: 4, right: 5, bottom: 5),
      BoundingBox(left: 0.5, top: 0.5, right: 0.5, bottom: 0.6),
      BoundingBox(left: 0.6, top: 0.5, right: 0.5, bottom: 0.6),
    ] {
      let targets = DetectionTargets(
        [(0, box)], priors: priors, edges: edges, matching: PriorMatching(), coding: BoxCoding())
      #expect(targets.positives == 0)
      #expect(targets.offsets.allSatisfy { $0 == 0 })
    }
  }

  @Test("2,000 objects in one image are matched, bipartite none goes without a default box")
  func many() {
    let priors = PriorLayout.mobile300.boxes
    let edges = (0..<priors.count).map { priors[$0] }
    let objects = (0..<2000).map { index in
      let (x, y) = (Double(index % 50) / 50, Double(index / 50) / 40)
      return BoundingBox(left: x, top: y, right: x + 0.02, bottom: y + 0.025)
    }
    let matches = PriorMatching(rule: .bipartite).objects(of: edges, objects)
    #expect(Set(matches.compactMap { $0 }).count == 2000)
  }
}
