// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXTestSupport
import Testing

@Suite("Counts of the released networks and of ours")
struct CostTests {
  @Test(
    "Parameters, multiply-adds and the paper's count at 224 pixels",
    arguments: [
      ("muxnet_m", 1000, 3_354_276, 216_808_112, 218_471_960),
      ("muxnet_l", 1000, 4_041_178, 316_454_832, 318_708_984),
      ("muxnet_m", 10, 2_086_086, 215_540_912, 217_204_760),
      ("muxnet_m", 100, 2_201_376, 215_656_112, 217_319_960),
      ("muxnet_m", 14, 2_091_210, 215_546_032, 217_209_880),
      ("muxnet_l", 10, 2_519_548, 314_934_192, 317_188_344),
      ("muxnet_xs", 1000, 1_798_748, 65_357_680, 66_196_736),
      ("muxnet_s", 1000, 2_398_988, 116_012_096, 117_272_192),
    ])
  func totals(
    model: String, classes: Int, parameters: Int, multiplyAdds: Int, paperMultiplyAdds: Int
  ) throws {
    let report = try costs(model, classes: classes)
    #expect(report.parameters == parameters)
    #expect(report.multiplyAdds == multiplyAdds)
    #expect(report.paperMultiplyAdds == paperMultiplyAdds)
    #expect(try zoo(model, ModelOptions(classes: classes)).parameterCount == parameters)
  }

  private static let cheXNet = "reference/tasks/chexnet.json"

  @Test(
    "CheXNet: parameters, names, and multiply-adds at four image sizes, as the reference has them",
    .enabled(if: Shared.has(cheXNet), "\(Shared.absent)"))
  func densely() throws {
    struct Golden: Decodable {
      struct Input: Decodable {
        var size: Int
        var multiplyAdds: Int
      }
      var parameters: Int
      var firstKeys: [String]
      var lastKeys: [String]
      var inputs: [Input]
    }
    let golden = try JSONDecoder().decode(
      Golden.self, from: Data(contentsOf: URL(filePath: Shared.path(Self.cheXNet))))
    let network = try zoo("densenet121", ModelOptions(classes: 14))
    #expect(network.parameterCount == golden.parameters)
    let names = Set(network.parameters.map(\.name))
    #expect(names.isSuperset(of: golden.firstKeys + golden.lastKeys))
    #expect(golden.inputs.count == 4)
    for input in golden.inputs {
      #expect(
        try costs("densenet121", classes: 14, side: input.size).multiplyAdds == input.multiplyAdds)
    }
  }

  @Test(
    "Ten classes for the networks of our own",
    arguments: [("muxnet_xs", 530_558, 64_090_480), ("muxnet_s", 1_130_798, 114_744_896)])
  func tenClasses(model: String, parameters: Int, multiplyAdds: Int) throws {
    let report = try costs(model, classes: 10)
    #expect(report.parameters == parameters)
    #expect(report.multiplyAdds == multiplyAdds)
  }

  @Test("The network for CIFAR stays below 0.6 M parameters")
  func cifar() throws {
    let report = try costs("muxnet_cifar")
    #expect(report.parameters == 362_270)
    #expect(report.multiplyAdds == 21_706_400)
  }

  @Test(
    "Multiply-adds at other image sizes",
    arguments: [
      ("muxnet_m", 192, 159_798_848), ("muxnet_m", 300, 403_851_104),
      ("muxnet_m", 320, 440_459_840), ("muxnet_l", 192, 233_109_024),
      ("muxnet_l", 300, 586_032_624), ("muxnet_l", 320, 643_426_848),
    ])
  func sizes(model: String, side: Int, multiplyAdds: Int) throws {
    #expect(try costs(model, side: side).multiplyAdds == multiplyAdds)
  }

  @Test(
    "The networks of our own at 192 and 256 pixels, in hundredths of a million",
    arguments: [
      ("muxnet_xs", 192, 4839), ("muxnet_xs", 256, 8494), ("muxnet_s", 192, 8566),
      ("muxnet_s", 256, 15104),
    ])
  func otherSizes(model: String, side: Int, hundredths: Int) throws {
    #expect((try costs(model, side: side).multiplyAdds + 5_000) / 10_000 == hundredths)
  }

  @Test(
    "What squeeze-and-excitation and batch norms take",
    arguments: [
      ("muxnet_m", 647_040, 652_940, 25_600, 1_657_376, 5_192),
      ("muxnet_l", 769_248, 776_514, 31_440, 2_246_160, 6_456),
    ])
  func breakdown(
    model: String, seMultiplyAdds: Int, seParameters: Int, normParameters: Int, gates: Int,
    squeezes: Int
  ) throws {
    let report = try costs(model)
    let excitation = report.layers.filter { $0.kind == .squeezeExcitation }
    #expect(excitation.reduce(0) { $0 + $1.multiplyAdds } == seMultiplyAdds)
    #expect(excitation.reduce(0) { $0 + $1.parameters } == seParameters)
    let norms = report.layers.filter { $0.kind == .batchNormalization }
    #expect(norms.reduce(0) { $0 + $1.parameters } == normParameters)
    let products = report.layers.filter { $0.operation == "multiply" }
    #expect(products.reduce(0) { $0 + $1.extraMultiplyAdds } == gates)
    let pools = report.layers.filter { $0.name.hasSuffix("se.pool") }
    #expect(pools.reduce(0) { $0 + $1.extraMultiplyAdds } == squeezes)
  }

  @Test(
    "Shares by kind of layer, in tenths of a percent (figure 2)",
    arguments: [
      ("muxnet_m", [0, 361, 17, 41, 196, 385], [37, 786, 59, 109, 3, 6]),
      ("muxnet_l", [0, 357, 19, 47, 194, 383], [26, 732, 52, 183, 2, 5]),
      ("muxnet_xs", [0, 172, 22, 20, 68, 717], [83, 709, 160, 27, 2, 20]),
      ("muxnet_s", [0, 274, 31, 21, 135, 538], [47, 771, 147, 21, 3, 11]),
      ("mobilenetv2_100", [0, 612, 19, 0, 0, 369], [36, 891, 69, 0, 0, 4]),
    ])
  func shares(model: String, parameters: [Int], multiplyAdds: [Int]) throws {
    let shares = try costs(model).shares
    #expect(shares.map { Int(($0.parameters * 1000).rounded()) } == parameters)
    #expect(shares.map { Int(($0.multiplyAdds * 1000).rounded()) } == multiplyAdds)
  }

  @Test("Activations and peak memory of a network that can be counted by hand")
  func memory() throws {
    var builder = NetworkBuilder(name: "hand", inputSize: ImageSize(4))
    var x = builder.convolution(builder.input, "a", outputChannels: 8, kernelSize: 3)
    x = builder.activation(x, "act", .relu)
    let y = builder.convolution(x, "b", outputChannels: 8)
    x = builder.sum(y, x, "sum")
    _ = builder.convolution(x, "c", outputChannels: 2, kernelSize: 3, stride: 2)
    let report = try CostReport(builder.build())
    // Outputs of the three convolutions: 8·16 + 8·16 + 2·4.
    #expect(report.activations == 264)
    // While b runs: a's 128 elements (kept for the sum) and b's 128.
    #expect(report.peakActivationBytes == 256 * 4)
    #expect(report.multiplyAdds == 16 * 27 * 8 + 16 * 64 + 4 * 72 * 2)
  }

  @Test(
    "Every layer of the reference tables, line by line",
    .enabled(if: Shared.hasLayerTables, "\(Shared.absent)"),
    arguments: [
      ("muxnet_m", "muxnet_m_224_layers"), ("muxnet_l", "muxnet_l_224_layers"),
      ("muxnet_xs", "muxnet_xs_224_layers"), ("muxnet_s", "muxnet_s_224_layers"),
      ("mobilenetv2_100", "baseline_timm_mobilenetv2_100_224_1000"),
      ("mobilenetv2_050", "baseline_timm_mobilenetv2_050_224_1000"),
    ])
  func layerTables(model: String, table: String) throws {
    let rows = try Shared.layerTable(table)
    let layers = try costs(model).layers.filter {
      $0.kind != .other && $0.kind != .batchNormalization
    }
    #expect(layers.map(\.name) == rows.map { $0["name"] ?? "" })
    #expect(layers.map { "\($0.multiplyAdds)" } == rows.map { $0["macs"] ?? "" })
    #expect(layers.map { "\($0.parameters)" } == rows.map { $0["params"] ?? "" })
  }
}
