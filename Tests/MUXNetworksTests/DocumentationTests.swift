// SPDX-License-Identifier: Apache-2.0
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import Testing

// The examples of the pages of MUXNetworks and MUXNetworkFiles, so that they compile.

private func counts() throws {
  let network = try NetworkFile.resolve("muxnet_m", options: ModelOptions(classes: 10))
  let report = try CostReport(network)
  print(report.parameters, report.multiplyAdds)
}

private func paperCounts() throws {
  let report = try CostReport(try NetworkFile.resolve("muxnet_m"))
  print(report.parameters)
  print(report.multiplyAdds)
  print(report.paperMultiplyAdds)
}

private func built() throws {
  var builder = NetworkBuilder(name: "tiny", inputSize: ImageSize(32))
  var x = builder.convolution(
    builder.input, "conv", outputChannels: 16, kernelSize: 3, stride: 2)
  x = builder.batchNormalization(x, "bn")
  x = builder.activation(x, "act", .swish)
  x = builder.classify(x, classes: 10)
  let network = try builder.build()
  print(network.parameters.map(\.name).prefix(2))
}

private func started() throws {
  let network = try NetworkFile.resolve("muxnet_xs")
  print(network.inputChannels, network.inputSize)
  print(network.classCount ?? 0)
  print(network.nodes.count > 200)
}

private func changed() throws {
  let small = try NetworkFile.resolve(
    "muxnet_m",
    options: ModelOptions(classes: 10, inputSize: ImageSize(32), outputStride: 8))
  if let last = try small.shapes().last { print(last) }
}

@Suite("Documentation of networks")
struct DocumentationTests {
  @Test(
    "The examples in Swift are those that compile here",
    arguments: [
      ("MUXNetworks/MUXNetworks.docc/MUXNetworks.md", 1),
      ("MUXNetworks/MUXNetworks.docc/CountingMultiplyAdds.md", 1),
      ("MUXNetworks/MUXNetworks.docc/NetworksAsData.md", 1),
      ("MUXNetworks/MUXNetworks.docc/GettingStarted.md", 2),
      ("MUXNetworkFiles/MUXNetworkFiles.docc/MUXNetworkFiles.md", 1),
    ])
  func examples(page: String, count: Int) throws {
    let examples = try PageExamples(of: "Sources/\(page)")
    #expect(examples.count == count)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
