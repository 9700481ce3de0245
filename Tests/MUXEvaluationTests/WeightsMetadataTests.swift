// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import MUXWeights
import Testing

@Suite("The metadata of weights, in versions")
struct WeightsMetadataTests {
  private func metadata() throws -> WeightsMetadata {
    let network = try ModelZoo.architecture(named: "muxnet_xs")
      .applying(
        ModelOptions(classes: 3, inputChannels: 1, inputSize: ImageSize(8), outputStride: 4)
      ).network()
    return WeightsMetadata(
      network: network, classNames: ["a", "b", "c"],
      pipeline: ImagePipeline(channels: 1, mean: [0.3], standardDeviation: [0.4]),
      isAveraged: true, epoch: 4, step: 50,
      scores: Scores(count: 10, ["top1": 0.5, "top5": 1, "loss": 1.5]))
  }

  /// The JSON of the metadata with keys taken out, under the key of a file.
  private func dictionary(without keys: [String]) throws -> [String: String] {
    var dictionary = try metadata().dictionary()
    let text = try #require(dictionary["muxnet"])
    var object = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    for key in keys { object[key] = nil }
    dictionary["muxnet"] = String(
      decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
    return dictionary
  }

  @Test("What is written is read, with the version")
  func roundTrip() throws {
    let written = try metadata().dictionary()
    #expect(written["muxnet.formatVersion"] == "1" && written["format"] == "pt")
    #expect(try WeightsMetadata(written, path: "w") == metadata())
  }

  @Test("Files of before the version, and without settings that have defaults, are read")
  func earlier() throws {
    var written = try metadata().dictionary()
    written["muxnet.formatVersion"] = nil
    #expect(try WeightsMetadata(written, path: "w") == metadata())
    let bare = try #require(
      try WeightsMetadata(
        dictionary(without: ["classNames", "isAveraged", "epoch", "step", "scores"]), path: "w"))
    #expect(bare.classNames == ["0", "1", "2"] && !bare.isAveraged)
    #expect(bare.epoch == 0 && bare.step == 0 && bare.scores == nil)
    #expect(throws: CheckpointError.self) {
      try WeightsMetadata(dictionary(without: ["network"]), path: "w")
    }
  }

  @Test(
    "A file of a newer version is refused by a sentence, by every reader", arguments: ["2", "x"])
  func newer(version: String) throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("metadata-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let network = try metadata().network
    var archive = RandomWeights.archive(network, seed: 1)
    archive.metadata = try metadata().dictionary()
    archive.metadata["muxnet.formatVersion"] = version
    try Safetensors.write(archive, to: path)
    for body in [
      { _ = try TrainedWeights(path: path) }, { _ = try ModelFile(contentsOf: path) },
      { _ = try InferencePlan(model: path) },
      { _ = try TrainedWeights(path: path, network: network) },
    ] as [() throws -> Void] {
      let error = #expect(throws: (any Error).self) { try body() }
      let text = error.map { "\($0)" } ?? ""
      #expect(text.hasPrefix(path), "\(text)")
      #expect(text.contains(version == "2" ? "version 2 of the format" : "not a number"), "\(text)")
    }
  }

  @Test("A pipeline that claims huge images is refused")
  func hugeImages() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("metadata-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    func read(_ transform: ImageTransform) throws {
      var own = try metadata()
      own.pipeline.transforms = [transform]
      var archive = RandomWeights.archive(own.network, seed: 1)
      archive.metadata = try own.dictionary()
      try Safetensors.write(archive, to: path)
      _ = try TrainedWeights(path: path)
    }
    try read(.resize(Resize(size: ImageSize(4096))))
    for huge in [
      ImageTransform.resize(Resize(size: ImageSize(8192))), .centerCrop(ImageSize(65536)),
      .resize(Resize(shorterSide: 8192)),
    ] {
      let error = #expect(throws: CheckpointError.self) { try read(huge) }
      #expect(error?.description.contains("out of proportion") == true)
    }
  }

  @Test("A pipeline of more transforms than anyone needs is refused")
  func manyTransforms() throws {
    var own = try metadata()
    for (count, isSound) in [(64, true), (65, false), (100_000, false)] {
      own.pipeline.transforms = Array(
        repeating: .resize(Resize(size: own.network.inputSize)), count: count)
      var archive = RandomWeights.archive(own.network, seed: 1)
      archive.metadata = try own.dictionary()
      let folder = try TemporaryFolder()
      try Safetensors.write(archive, to: folder("w.safetensors"))
      if isSound {
        _ = try TrainedWeights(path: folder("w.safetensors"))
      } else {
        let error = #expect(throws: CheckpointError.self) {
          try TrainedWeights(path: folder("w.safetensors"))
        }
        #expect(
          error?.description.contains("\(count) transforms, more than the limit of 64") == true)
      }
    }
  }

  @Test("Metadata that cannot be read are named with the place and the reason")
  func places() throws {
    let text = try #require(try metadata().dictionary()["muxnet"])
    for (from, to, words) in [
      ("\"pipeline\":{", "\"pipeline\":{\"none\":1,", "'pipeline'"),
      ("\"mean\":[", "\"mean\":[null,", "mean"), ("\"epoch\":", "\"epoch\":\"x\",\"e\":", "epoch"),
    ] {
      let spoilt = text.replacing(from, with: to)
      try #require(spoilt != text)
      let error = #expect(throws: CheckpointError.self) {
        try WeightsMetadata(["muxnet": spoilt], path: "w")
      }
      let line = error?.description ?? ""
      #expect(line.contains(words) && !line.contains("could not be completed"), "\(line)")
    }
  }

  @Test("A loss that is no number is left out, not written as a text")
  func lossOfNoNumber() throws {
    var own = try metadata()
    own.scores?["loss"] = .nan
    let text = try #require(try own.dictionary()["muxnet"])
    #expect(!text.lowercased().contains("nan"))
    #expect(try WeightsMetadata(own.dictionary(), path: "w")?.scores == nil)
    // As earlier versions wrote it.
    let old = try #require(try metadata().dictionary()["muxnet"])
      .replacing("\"loss\":1.5", with: "\"loss\":\"nan\"")
    #expect(try WeightsMetadata(["muxnet": old], path: "w")?.scores?["loss"]?.isNaN == true)
  }
}
