// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXSearch
import MUXStudies
import MUXVision

struct ImageTarget: FuzzTarget {
  let name = "images"
  let words = [
    "IHDR", "IDAT", "IEND", "PLTE", "tRNS", "gAMA", "eXIf", "Exif\u{0}\u{0}", "II*\u{0}", "RIFF",
    "WEBP", "VP8L", "VP8X", "ANMF", "GIF89a", "BM", "P6 ",
  ]

  /// The table of files that the tests compare with Pillow: every kind that is read.
  private static let table = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Tests/MUXVisionTests/Fixtures/images")

  func corpus() throws -> [[UInt8]] {
    var inputs: [[UInt8]] = []
    let folder = FileManager.default.temporaryDirectory
    for (width, color) in [(9, [90]), (7, [10, 200, 30])] as [(Int, [UInt8])] {
      let path = folder.appendingPathComponent("fuzz-\(UUID().uuidString).png").path
      defer { try? FileManager.default.removeItem(atPath: path) }
      try Image(width: width, height: 5, color: color).writePNG(to: path)
      inputs.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
    }
    // A JPEG of 1×1 pixel: no encoder is at hand.
    let text =
      "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////"
      + "////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAA"
      + "AAD/2gAIAQEAAD8AKp//2Q=="
    if let data = Data(base64Encoded: text) { inputs.append([UInt8](data)) }
    // Where the checkout is still there.
    for name in (try? FileManager.default.contentsOfDirectory(atPath: Self.table.path)) ?? []
    where name != "table.txt" && name != "pixels.bin" {
      if let data = FileManager.default.contents(
        atPath: Self.table.appendingPathComponent(name).path)
      {
        inputs.append([UInt8](data))
      }
    }
    return inputs
  }

  func read(_ bytes: [UInt8]) throws {
    let image = try Image(data: bytes, name: "fuzzed")
    guard image.width * image.height < 1 << 20 else { return }
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    _ = try ImagePipeline.imageNetEvaluation(size: 8).values(of: image, random: &random)
  }
}

struct NetworkTarget: FuzzTarget {
  let name = "networks"
  let words = [
    "convolution:", "branchedConvolution", "\"stride\":", "kernelSize: ", "groups: ", "factor: ",
    "stages:", "r1000", "&a", "*a", "<<: *a", "outputs: [", "\n  - ",
  ]

  func corpus() throws -> [[UInt8]] {
    // Small ones: the time that a parser takes grows with the text, and most changes are found early. One
    // of the zoo has the operations that the small one lacks.
    let tiny = try Samples.network()
    var inputs = [
      [UInt8](try NetworkFile.json(tiny)), Array(try NetworkFile.yaml(tiny).utf8),
      Array(try NetworkFile.yaml(try ModelZoo.network(named: "muxnet_digits")).utf8),
    ]
    inputs.append(
      Array(try NetworkFile.yaml(try ModelZoo.architecture(named: "muxnet_xs")).utf8))
    return inputs
  }

  func read(_ bytes: [UInt8]) throws {
    let network =
      switch try NetworkFile.parse(String(decoding: bytes, as: UTF8.self), path: "fuzzed") {
      case .network(let network): network
      case .architecture(let architecture): try architecture.network()
      }
    _ = try CostReport(network)
    _ = try NetworkFile.json(network)
  }
}

struct SpaceTarget: FuzzTarget {
  let name = "spaces"
  let words = ["stages:", "depths: [", "kernels: [", "constraints:", "&a", "*a", "-1", "1e30"]

  func corpus() throws -> [[UInt8]] {
    try ["digits", "small", "imagenet"].map { Array(try NetworkSpace.named($0).yaml().utf8) }
  }

  func read(_ bytes: [UInt8]) throws {
    let space = try NetworkSpace.parse(String(decoding: bytes, as: UTF8.self), path: "fuzzed")
    let domain = NetworkDomain(space)
    guard domain.genes.count < 1 << 12 else { return }
    for place in [0, 1] {
      let genome = Genome(domain.genes.map { $0.choices > place ? place : 0 })
      _ = try CostReport(domain.architecture(genome).network())
    }
  }
}

struct RecipeTarget: FuzzTarget {
  let name = "recipes"
  let words = ["data:", "batchSize: ", "&a", "*a", "<<: *a", "augmentation:", "path: \"", ".inf"]

  func corpus() throws -> [[UInt8]] {
    RecipeLibrary.folders().flatMap { folder in
      RecipeLibrary.names(in: [folder]).compactMap { name in
        FileManager.default.contents(atPath: "\(folder)/\(name).yaml").map { [UInt8]($0) }
      }
    } + [Array("data:\n  source: digits\n  validationFraction: 0.1\nbatchSize: 32\n".utf8)]
  }

  func read(_ bytes: [UInt8]) throws {
    let tree = try ConfigurationTree(
      yaml: String(decoding: bytes, as: UTF8.self), source: .file("fuzzed"))
    _ = try tree.keeping(EvaluationConfiguration.keys).decode(EvaluationConfiguration.self)
  }
}

struct StorageTarget: FuzzTarget {
  let name = "storage"
  let words = [
    "://", "postgresql", "sqlite", "@", ":", "/", "?password=", "%", "[::1", "host=", ".db",
  ]

  func corpus() throws -> [[UInt8]] {
    [
      "memory:", "sqlite:///studies.db", "sqlite:////tmp/studies.db", "studies.sqlite3",
      "postgresql://user:password@host:5432/database?sslmode=require",
      "postgresql+psycopg2://user@[::1]/database",
    ].map { Array($0.utf8) }
  }

  func read(_ bytes: [UInt8]) throws {
    _ = try StorageURL(String(decoding: bytes, as: UTF8.self)).description
  }
}
