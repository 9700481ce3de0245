// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import MUXReport
import MUXTestSupport
import Testing

@Suite("Drawings of networks")
struct DrawingTests {
  private func texts(_ model: String) throws -> [String] {
    try XMLCheck(NetworkDrawing(try NetworkFile.resolve(model)).picture.svg).placed.map(\.text)
  }

  @Test("A MUX block shows its branches, what passes by, and its costs")
  func multiplexing() throws {
    let texts = try texts("muxnet_xs")
    #expect(texts.contains { $0.hasPrefix("blocks.2.0") })
    #expect(texts.contains("mux 3×3"))
    #expect(texts.contains("↓2") && texts.contains("=") && texts.contains("↑2"))
    #expect(texts.contains("8 of 16 channels pass"))
    #expect(texts.contains("spatial multiplexing"))
    #expect(texts.contains { $0.contains("1,798,748 parameters, 65,357,680 multiply-adds") })
  }

  @Test("Equal blocks in a row become one row that counts them, with the sum of their costs")
  func equalBlocks() throws {
    let architecture = """
      name: three
      inputSize: 32
      classes: 10
      stem: {channels: 16, stride: 1}
      stages:
        - [ir_r4_k3_e2_c16]
      head: {channels: 32}
      """
    let path = FileManager.default.temporaryDirectory
      .appending(path: "three-\(UUID().uuidString).yaml").path(percentEncoded: false)
    try Data(architecture.utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let network = try NetworkFile.resolve(path)
    let costs = try CostReport(network)
    let block = try #require(costs.blocks.first { $0.name == "blocks.0.0" })
    let texts = try XMLCheck(NetworkDrawing(network).picture.svg).placed.map(\.text)
    #expect(texts.contains("blocks.0.0 ×4"))
    #expect(4 * block.parameters == 5888)
    #expect(texts.contains("5.89k"))
  }

  @Test(
    "Every network of the zoo can be drawn, at its own size",
    arguments: Portion.of(ModelZoo.entries.map(\.name)))
  func zoo(name: String) throws {
    let network = try NetworkFile.resolve(name)
    let picture = try NetworkDrawing(network).picture
    #expect(XMLCheck(picture.svg).isWellFormed)
    #expect(picture.width < 2400)
    let texts = XMLCheck(picture.svg).placed
    for (index, text) in texts.enumerated() {
      for other in texts.dropFirst(index + 1) where abs(other.y - text.y) < 40 {
        #expect(!text.overlaps(other), "\(text.text) and \(other.text)")
      }
    }
    for text in texts {
      #expect(text.x >= 0 && text.x + text.width <= picture.width, "\(text.text)")
    }
  }

  @Test("Images that are too small are an error, not a drawing")
  func tooSmall() throws {
    let network = try NetworkFile.resolve("vgg16")
    #expect(throws: NetworkError.self) { try NetworkDrawing(network, inputSize: ImageSize(4)) }
  }

  private func packageFile(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  @Test("The page's table of networks is the one that the command makes")
  func networks() throws {
    let parts = try packageFile("Docs/NETWORKS.md")
      .components(separatedBy: "<!-- muxnet models --markdown -->\n")
    let table = try #require(parts.count == 2 ? parts[1] : nil).components(separatedBy: "\n\n")[0]
    #expect(
      try table == ZooTable.markdown(),
      "replace the table of Docs/NETWORKS.md with the output of 'muxnet models --markdown'")
  }

  @Test("The picture of the documentation is the one that the command draws")
  func picture() throws {
    let file = "Sources/MUXNetworks/MUXNetworks.docc/Resources/muxnet_xs.svg"
    let drawing = try NetworkDrawing(try NetworkFile.resolve("muxnet_xs")).picture.svg
    #expect(try packageFile(file) == drawing, "run 'muxnet draw muxnet_xs'")
  }
}
