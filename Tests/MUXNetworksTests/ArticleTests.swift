// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import Testing

/// The code of the documentation's articles, with what they say that it prints.
@Suite("Examples of the documentation")
struct ArticleTests {
  @Test("Getting started")
  func gettingStarted() throws {
    let network = try NetworkFile.resolve("muxnet_xs")
    #expect(network.inputChannels == 3 && "\(network.inputSize)" == "224×224")
    #expect(network.classCount == 1000)
    #expect(network.nodes.count > 200)
    let small = try NetworkFile.resolve(
      "muxnet_m",
      options: ModelOptions(classes: 10, inputSize: ImageSize(32), outputStride: 8))
    #expect(try small.shapes().last?.description == "10×1×1")
  }

  @Test("Networks as data")
  func networksAsData() throws {
    var builder = NetworkBuilder(name: "tiny", inputSize: ImageSize(32))
    var x = builder.convolution(
      builder.input, "conv", outputChannels: 16, kernelSize: 3, stride: 2)
    x = builder.batchNormalization(x, "bn")
    x = builder.activation(x, "act", .swish)
    x = builder.classify(x, classes: 10)
    let network = try builder.build()
    #expect(network.parameters.map(\.name).prefix(2) == ["conv.weight", "bn.weight"])
  }

  @Test("Counting multiply-adds")
  func counting() throws {
    let report = try CostReport(try NetworkFile.resolve("muxnet_m"))
    #expect(report.parameters == 3_354_276)
    #expect(report.multiplyAdds == 216_808_112)
    #expect(report.paperMultiplyAdds == 218_471_960)
    let network = try NetworkFile.resolve("muxnet_m", options: ModelOptions(classes: 10))
    let small = try CostReport(network)
    #expect(small.parameters == 2_086_086 && small.multiplyAdds == 215_540_912)
  }

  @Test("The articles show the block strings that the README shows, and they are read")
  func blockStrings() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    func example(_ path: String) throws -> String {
      let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
      let parts = text.components(separatedBy: "```yaml\n")
      return try #require(parts.count > 1 ? parts[1].components(separatedBy: "```")[0] : nil)
    }
    let article = try example("Sources/MUXNetworks/MUXNetworks.docc/NetworksAsData.md")
    #expect(try article == example("README.md"))
    guard case .architecture(let architecture) = try NetworkFile.parse(article, path: "a.yaml")
    else {
      Issue.record("not an architecture")
      return
    }
    #expect(try architecture.network().classCount == 10)
  }
}
