// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXONNX
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("The exported file")
struct StructureTests {
  private func dimensions(_ value: Onnx_ValueInfoProto) -> [String] {
    value.type.tensorType.shape.dim.map { $0.dimParam.isEmpty ? "\($0.dimValue)" : $0.dimParam }
  }

  @Test("names its versions, its counts and what is known of the weights")
  func header() throws {
    let network = try zoo("muxnet_digits", side: 16, classes: 3)
    let costs = try CostReport(network)
    let message = try exported(network) {
      $0.license = "CC-BY-4.0"
      $0.classNames = ["a", "b/c", "ü"]
      $0.producerVersion = "1.2.3"
    }
    #expect(message.irVersion == 8)
    #expect(message.opsetImport.map(\.version) == [17])
    #expect(message.opsetImport.map(\.domain) == [""])
    #expect(message.producerName == "muxnet")
    #expect(message.producerVersion == "1.2.3")
    #expect(message.graph.name == "muxnet_digits")
    let metadata = Dictionary(
      uniqueKeysWithValues: message.metadataProps.map { ($0.key, $0.value) })
    #expect(metadata["network"] == "muxnet_digits")
    #expect(metadata["parameters"] == "\(costs.parameters)")
    #expect(metadata["multiply_adds"] == "\(costs.multiplyAdds)")
    #expect(metadata["multiply_adds_paper"] == "\(costs.paperMultiplyAdds)")
    #expect(metadata["input_size"] == "16x16")
    #expect(metadata["classes"] == "3")
    #expect(metadata["class_names"] == #"["a","b/c","ü"]"#)
    #expect(metadata["weights_license"] == "CC-BY-4.0")
    #expect(metadata["batch_norms"] == "folded")
    let silent = try exported(network)
    #expect(!silent.metadataProps.contains { $0.key == "weights_license" })
  }

  @Test("says how images are prepared, for the size of its input")
  func preparation() throws {
    let network = try zoo("muxnet_digits", side: 16, classes: 3)
    func metadata(_ pipeline: ImagePipeline?) throws -> [String: String] {
      let message = try exported(network) {
        $0.pipeline = pipeline
        $0.inputSize = ImageSize(16)
      }
      return Dictionary(uniqueKeysWithValues: message.metadataProps.map { ($0.key, $0.value) })
    }
    #expect(try metadata(nil)["mean"] == nil)
    var pipeline = ImagePipeline(
      transforms: [.resize(Resize(shorterSide: 20, interpolation: .bicubic)), .centerCrop(16)],
      channels: 1, mean: [0.3053], standardDeviation: [0.25])
    let cut = try metadata(pipeline)
    #expect(cut["mean"] == "[0.3053]" && cut["std"] == "[0.25]" && cut["input_range"] == "[0,1]")
    #expect(cut["crop_pct"] == "0.8" && cut["crop_mode"] == "center" && cut["resize"] == "20")
    #expect(cut["interpolation"] == "bicubic" && cut["channel_order"] == "L")
    let decoded = try JSONDecoder().decode(
      ImagePipeline.self, from: Data((cut["preparation"] ?? "").utf8))
    #expect(decoded == pipeline)
    pipeline = ImagePipeline(
      transforms: [.resize(Resize(size: 32))], channelOrder: .bgr, mean: [0.5, 0.25, 0],
      standardDeviation: [1, 1, 1])
    let squash = try metadata(pipeline)
    #expect(squash["mean"] == "[0.5,0.25,0.0]" && squash["channel_order"] == "BGR")
    #expect(squash["crop_pct"] == "1.0" && squash["crop_mode"] == "squash")
    #expect(squash["resize"] == "16x16" && squash["interpolation"] == "bilinear")
  }

  @Test("has a fixed or a dynamic batch, and the shape of every value")
  func shapes() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let fixed = try exported(network) { $0.batch = .fixed(4) }
    #expect(fixed.graph.input.map(\.name) == ["input"])
    #expect(fixed.graph.output.map(\.name) == ["output"])
    #expect(dimensions(fixed.graph.input[0]) == ["4", "1", "16", "16"])
    #expect(dimensions(fixed.graph.output[0]) == ["4", "7"])
    let dynamic = try exported(network) {
      $0.batch = .dynamic
      $0.inputSize = ImageSize(height: 20, width: 24)
    }
    #expect(dimensions(dynamic.graph.input[0]) == ["N", "1", "20", "24"])
    #expect(dimensions(dynamic.graph.output[0]) == ["N", "7"])
    let stem = try #require(dynamic.graph.valueInfo.first { $0.name == "conv_stem" })
    #expect(dimensions(stem) == ["N", "16", "20", "24"])
  }

  /// Says what is wrong with the names of a graph: each has one definition, before its use.
  private func checkNames(_ graph: Onnx_GraphProto, outputs: [String]) {
    var defined = Set(graph.initializer.map(\.name) + graph.input.map(\.name))
    #expect(defined.count == graph.initializer.count + graph.input.count)
    for node in graph.node {
      for input in node.input where !defined.contains(input) {
        Issue.record("'\(input)' is used before it is there")
      }
      for output in node.output where !defined.insert(output).inserted {
        Issue.record("'\(output)' has two definitions")
      }
    }
    #expect(graph.output.map(\.name) == outputs)
    #expect(outputs.allSatisfy(defined.contains))
    #expect(Set(graph.node.map(\.name)).count == graph.node.count)
    let described = graph.valueInfo.map(\.name)
    #expect(Set(described).count == described.count)
    #expect(described.allSatisfy(defined.contains) && !described.contains(where: outputs.contains))
  }

  @Test("has outputs under the network's names, also several of one tensor, and those of weights")
  func outputNames() throws {
    var builder = NetworkBuilder(name: "names", inputChannels: 8, inputSize: ImageSize(4))
    let x = builder.convolution(builder.input, "x", outputChannels: 8)
    let first = builder.add("first", .dropout(rate: 0.5), x, channels: 8)
    let second = builder.add("second", .dropout(rate: 0.5), x, channels: 8)
    let weight = builder.activation(x, "x.weight", .relu)
    let inner = builder.add("x.inner", .dropout(rate: 0.5), x, channels: 8)
    let output = builder.activation(weight, "output", .relu)
    let last = builder.activation(output, "last", .relu)
    for outputs in [
      [first, x, second], [x, second, first], [weight, x], [x, weight], [inner, first, x],
      [first, inner, x], [last, output], [output, last, weight, inner, second, first, x], [output],
    ] {
      let network = try builder.build(outputs: outputs)
      let names = outputs.count == 1 ? ["output"] : network.outputs
      checkNames(try exported(network).graph, outputs: names)
      #expect(try difference(network) < 1e-5)
    }
  }

  @Test("spells the names of outputs as the tensors, byte by byte")
  func spelling() throws {
    let nodes = [
      Node(name: "\u{212b}", operation: .activation(.relu), inputs: [Network.inputName]),
      Node(name: "last", operation: .activation(.relu), inputs: ["\u{c5}"]),
    ]
    let network = try Network(
      name: "spelling", inputChannels: 2, inputSize: ImageSize(2), nodes: nodes,
      outputs: ["\u{c5}", "last"])
    let graph = try exported(network).graph
    let tensors = Set(graph.node.flatMap(\.output).map { Array($0.utf8) })
    for name in graph.output.map(\.name) + graph.node.flatMap(\.input).dropFirst() {
      #expect(tensors.contains(Array(name.utf8)))
    }
  }

  @Test("cuts a tensor where each slice says, also where dropout stands between slices of one")
  func slicesOfOneTensor() throws {
    var builder = NetworkBuilder(name: "slices", inputChannels: 8, inputSize: ImageSize(4))
    let x = builder.convolution(builder.input, "x", outputChannels: 8)
    let halves = [
      builder.slice(x, "left", start: 0, count: 4), builder.slice(x, "right", start: 4, count: 4),
    ]
    let same = builder.add("same", .dropout(rate: 0.5), x, channels: 8)
    let narrow = builder.slice(same, "narrow", start: 0, count: 2)
    let again = builder.slice(same, "again", start: 4, count: 4)
    let network = try builder.build(outputs: halves + [narrow, again])
    let graph = try exported(network).graph
    checkNames(graph, outputs: network.outputs)
    #expect(graph.output.map { dimensions($0)[1] } == ["4", "4", "2", "4"])
    #expect(graph.node.filter { $0.opType == "Split" }.count == 1)
    #expect(graph.node.filter { $0.opType == "Slice" }.count == 1)
    #expect(try difference(network) < 1e-5)
  }

  @Test("of a network with as many outputs as layers is made in time", .tags(.slow))
  func manyOutputs() throws {
    let count = Limits.nodes / 4 - 1
    var builder = NetworkBuilder(name: "many", inputChannels: count, inputSize: ImageSize(1))
    var values: [NetworkBuilder.Value] = []
    // Two slices of a channel, which overlap with others', a layer and a name that passes its tensor on.
    for index in 0..<count {
      let start = min(index, count - 2)
      let slice = builder.slice(builder.input, "slice\(index)", start: start, count: 2)
      let act = builder.activation(slice, "act\(index)", .relu)
      values += [
        builder.add("first\(index)", .dropout(rate: 0.5), act, channels: 2), act,
        builder.add("second\(index)", .dropout(rate: 0.5), act, channels: 2), slice,
      ]
    }
    let network = try builder.build(outputs: values)
    let graph = try exported(network).graph
    checkNames(graph, outputs: network.outputs)
    // Each of four names has a node: the slice, the layer, and one for each further name of its tensor.
    #expect(graph.node.count == 4 * count)
  }

  @Test("of each small network of the zoo is in order: one definition per name, before its use")
  func wholeZoo() throws {
    for entry in Portion.of(ModelZoo.entries) {
      // The last layers of one take no padding.
      let network = try zoo(entry.name, side: entry.name == "ssd300_vgg16" ? 300 : 75)
      // The others take long without optimisation; tools/check_onnx.py goes through all of them.
      guard network.parameterCount < 3_000_000 else { continue }
      for keeps in [false, true] {
        let graph = try exported(network) { $0.keepsBatchNormalization = keeps }.graph
        var defined = Set(graph.initializer.map(\.name) + graph.input.map(\.name))
        #expect(defined.count == graph.initializer.count + 1, "\(entry.name)")
        for node in graph.node {
          for input in node.input where !defined.contains(input) {
            Issue.record("\(entry.name): '\(input)' is used before it is there")
          }
          for output in node.output where !defined.insert(output).inserted {
            Issue.record("\(entry.name): '\(output)' has two definitions")
          }
        }
        let outputs = network.outputs.count == 1 ? ["output"] : network.outputs
        #expect(graph.output.map(\.name) == outputs, "\(entry.name)")
        #expect(outputs.allSatisfy(defined.contains), "\(entry.name)")
        #expect(Set(graph.node.map(\.name)).count == graph.node.count, "\(entry.name)")
      }
    }
  }

  @Test("keeps or folds batch norms, and leaves out what only training needs")
  func norms() throws {
    let network = try zoo("muxnet_m", side: 64)
    let norms = network.nodes.filter {
      if case .batchNormalization = $0.operation { true } else { false }
    }
    let folded = operators(try exported(network))
    #expect(folded["BatchNormalization"] == nil)
    #expect(folded["Dropout"] == nil)
    let kept = operators(try exported(network) { $0.keepsBatchNormalization = true })
    #expect(kept["BatchNormalization"] == norms.count)
    #expect(kept["Conv"] == folded["Conv"])
  }

  @Test("folds a batch norm behind multiplexing but for the superpixel branch, which keeps its own")
  func superpixelNorm() throws {
    let network = try zoo("mobilenetv2_050_mux", side: 64)
    let superpixels = network.nodes.reduce(0) { count, node in
      guard case .branchedConvolution(let branched) = node.operation else { return count }
      return count + branched.branches.count { $0.multiplexing == .superpixel }
    }
    #expect(superpixels > 0)
    let folded = try exported(network)
    #expect(operators(folded)["BatchNormalization"] == superpixels)
    let modes = folded.graph.node.filter { $0.opType == "DepthToSpace" }.map { node in
      node.attribute.first { $0.name == "mode" }.map { String(decoding: $0.s, as: UTF8.self) }
    }
    #expect(!modes.isEmpty && modes.allSatisfy { $0 == "DCR" })
  }

  @Test("shuffles without transposing: two gathers a MUX block at most, none before a convolution")
  func shuffles() throws {
    let network = try zoo("muxnet_m", side: 64)
    let blocks = network.nodes.count { node in
      if case .channelShuffle = node.operation { true } else { false }
    }
    let found = operators(try exported(network))
    #expect(blocks == 11)
    #expect(found["Transpose"] == nil && found["Reshape"] == nil)
    // Each stage's first MUX block slices what a convolution wrote: a Split, no Gather; its last
    // shuffle goes into the convolution behind.
    #expect(found["Gather"] ?? 0 <= 2 * (blocks - 4))
    #expect(found["Split"] ?? 0 > 0)

    var builder = NetworkBuilder(name: "shuffled", inputChannels: 8, inputSize: ImageSize(8))
    var x = builder.channelShuffle(builder.input, "shuffle", groups: 2)
    x = builder.convolution(x, "dw", outputChannels: 8, kernelSize: 3, groups: 8)
    x = builder.batchNormalization(x, "bn")
    x = builder.squeezeExcitation(x, "se", reducedChannels: 2, activation: .relu)
    let y = builder.convolution(x, "conv", outputChannels: 8)
    x = builder.sum(x, y, "sum")
    _ = builder.classify(x, classes: 3)
    let message = try exported(try builder.build()) { $0.keepsBatchNormalization = true }
    #expect(operators(message)["Gather"] == nil)
    #expect(operators(message)["Transpose"] == nil)
  }

  @Test("keeps the weights' names, and their values where nothing is folded or shuffled")
  func weights() throws {
    let network = try zoo("mobilenetv2_010", side: 32)
    let archive = RandomWeights.archive(network, seed: 1)
    let message = try exported(network, archive) { $0.keepsBatchNormalization = true }
    var tensors: [String: Onnx_TensorProto] = [:]
    for tensor in message.graph.initializer { tensors[tensor.name] = tensor }
    for parameter in network.parameters where parameter.role != .batchCount {
      let tensor = try #require(tensors[parameter.name], "\(parameter.name)")
      #expect(tensor.dims.map { Int($0) } == parameter.shape)
      let isKept = [UInt8](tensor.rawData) == archive[parameter.name]?.bytes.array
      #expect(isKept, "\(parameter.name)")
    }
  }

  @Test("is the same for the same model, byte by byte")
  func deterministic() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let weights = RandomWeights.archive(network, seed: 3)
    let first = try ONNXExport().model(network, weights: weights).bytes()
    let isSame = try ONNXExport().model(network, weights: weights).bytes() == first
    #expect(isSame)
  }

  @Test("takes weights in half precision and with the prefix of data-parallel training")
  func otherWeights() throws {
    let network = try zoo("muxnet_digits", side: 16)
    let weights = try RandomWeights.archive(network, seed: 3).convertingFloatingPoint(to: .float16)
    let plain = try ONNXExport().model(network, weights: weights)
    let wrapped = try ONNXExport().model(network, weights: weights.renamed { "module." + $0 })
    let isSame = try plain.bytes() == wrapped.bytes()
    #expect(isSame)
  }

  @Test("of a network that ends in its input, in dropout or in a layer called 'output'")
  func oddEnds() throws {
    func nodes(_ body: (inout NetworkBuilder) -> Void) throws -> [String] {
      var builder = NetworkBuilder(name: "odd", inputChannels: 4, inputSize: ImageSize(4))
      body(&builder)
      return try exported(try builder.build()).graph.node.map { "\($0.opType) \($0.output)" }
    }
    #expect(
      try nodes { _ = $0.add("drop", .dropout(rate: 0.5), $0.input, channels: 4) }
        == [#"Identity ["output"]"#])
    #expect(
      try nodes {
        let x = $0.activation($0.input, "output", .relu)
        _ = $0.add("drop", .dropout(rate: 0.5), $0.activation(x, "act", .relu), channels: 4)
      } == [#"Relu ["output.2"]"#, #"Relu ["output"]"#])
  }
}
