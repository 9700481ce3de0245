// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXONNX
import MUXPyTorch
import MUXTestSupport
import MUXWeights
import Testing

/// A network of a few layers on images of 9×7 pixels.
private func network(
  _ name: String, channels: Int = 8, size: ImageSize = ImageSize(height: 9, width: 7),
  _ body: (inout NetworkBuilder, NetworkBuilder.Value) throws -> Void
) throws -> Network {
  var builder = NetworkBuilder(name: name, inputChannels: channels, inputSize: size)
  try body(&builder, builder.input)
  return try builder.build()
}

private func branches(
  _ scales: [SpatialMultiplexing], channels: Int, factor: Int = 2, kernel: Int = 3,
  hasBias: Bool = false
) -> BranchedConvolution {
  let window = factor * factor
  return BranchedConvolution(
    branches: scales.enumerated().map { index, scale in
      let count =
        switch scale {
        case .subpixel: channels * window
        case .none: channels
        case .superpixel: channels / window
        }
      return BranchedConvolution.Branch(
        name: "convs.\(index)",
        convolution: Convolution(
          inputChannels: count, outputChannels: count, kernelSize: kernel, groups: count,
          hasBias: hasBias),
        multiplexing: scale, factor: factor)
    })
}

@Suite("The exported graph computes what the network computes")
struct NumericTests {
  private let tolerance: Float = 1e-5

  @Test("whole networks, batch norms folded and kept", arguments: [false, true])
  func wholeNetworks(keepsNorms: Bool) throws {
    for (name, side) in [("muxnet_digits", 16), ("muxnet_digits", 13)] {
      var network = try zoo(name, side: side)
      #expect(try difference(network) { $0.keepsBatchNormalization = keepsNorms } < tolerance)
      network = try zoo("mobilenetv2_010_mux", side: side + 20)
      #expect(try difference(network) { $0.keepsBatchNormalization = keepsNorms } < tolerance)
    }
  }

  @Test(
    "several outputs: inside a run of layers, in another order, one tensor twice",
    arguments: [false, true])
  func severalOutputs(keepsNorms: Bool) throws {
    var builder = NetworkBuilder(
      name: "several", inputChannels: 8, inputSize: ImageSize(height: 9, width: 7))
    let x = builder.convolution(builder.input, "conv", outputChannels: 12, kernelSize: 3)
    let norm = builder.batchNormalization(x, "bn")
    let shuffled = builder.channelShuffle(norm, "shuffle", groups: 3)
    let act = builder.activation(shuffled, "act", .relu)
    let same = builder.add("drop", .dropout(rate: 0.5), act, channels: 12)
    let again = builder.channelShuffle(act, "again", groups: 2)
    let last = builder.convolution(same, "last", outputChannels: 5)
    for outputs in [
      [x, last], [norm, act, last], [last, act, same, norm], [shuffled, x, norm],
      [act, again, last],
    ] {
      let network = try builder.build(outputs: outputs)
      let graph = try exported(network) { $0.keepsBatchNormalization = keepsNorms }.graph
      #expect(graph.output.map(\.name) == outputs.map(\.name))
      let tensors = graph.node.flatMap(\.output)
      #expect(Set(tensors).count == tensors.count, "\(tensors)")
      #expect(try difference(network) { $0.keepsBatchNormalization = keepsNorms } < tolerance)
    }
  }

  @Test(
    "each activation",
    arguments: Activation.allCases + [.hardSigmoid(slope: 0.3, valueAtZero: 0.4)])
  func activations(activation: Activation) throws {
    let network = try network("one") { builder, x in
      let y = builder.convolution(x, "conv", outputChannels: 6, kernelSize: 3)
      _ = builder.add("act", .activation(activation), y, channels: 6)
    }
    #expect(try difference(network) < tolerance)
  }

  @Test(
    "spatial multiplexing on odd sizes, with a batch norm behind it",
    arguments: [1, 2, 3], [false, true])
  func multiplexing(order: Int, keepsNorms: Bool) throws {
    let scales: [SpatialMultiplexing] =
      order == 1
      ? [.subpixel, .none, .superpixel] : order == 2 ? [.superpixel, .subpixel] : [.subpixel]
    for (factor, hasBias) in [(2, false), (3, true)] {
      let width = factor * factor * 2
      let network = try network("mux", channels: width * scales.count) { builder, x in
        var y = builder.branchedConvolution(
          x, "conv",
          branches(scales, channels: width, factor: factor, hasBias: hasBias))
        y = builder.batchNormalization(y, "bn")
        _ = builder.activation(y, "act", .swish)
      }
      let found = try difference(network) { $0.keepsBatchNormalization = keepsNorms }
      #expect(found < tolerance)
    }
  }

  @Test("TensorFlow's padding, which differs from side to side")
  func samePadding() throws {
    for (kernel, stride, groups) in [(3, 2, 1), (5, 2, 8), (2, 1, 8), (7, 4, 1), (3, 1, 2)] {
      for size in [ImageSize(height: 10, width: 7), ImageSize(height: 9, width: 12)] {
        let network = try network("same", size: size) { builder, x in
          _ = builder.add(
            "conv",
            .convolution(
              Convolution(
                inputChannels: 8, outputChannels: 8, kernelSize: kernel, stride: stride,
                groups: groups, paddingRule: .same)), x, channels: 8)
        }
        #expect(try difference(network) < tolerance, "k\(kernel) s\(stride) \(size)")
      }
    }
  }

  @Test("a shuffle goes into every kind of layer behind it")
  func shuffles() throws {
    let makers: [(String, (inout NetworkBuilder, NetworkBuilder.Value) -> Void)] = [
      ("dense", { _ = $0.convolution($1, "c", outputChannels: 5, kernelSize: 3) }),
      ("depthwise", { _ = $0.convolution($1, "c", outputChannels: 12, kernelSize: 3, groups: 12) }),
      (
        "multiplier", { _ = $0.convolution($1, "c", outputChannels: 24, kernelSize: 3, groups: 12) }
      ),
      ("groups", { _ = $0.convolution($1, "c", outputChannels: 8, groups: 4) }),
      ("norm", { _ = $0.batchNormalization($1, "bn") }),
      ("output", { _ = $0.activation($1, "act", .relu) }),
      ("slice", { _ = $0.slice($1, "slice", start: 2, count: 7) }),
      (
        "branches",
        { _ = $0.branchedConvolution($1, "c", branches([.none, .subpixel, .none], channels: 4)) }
      ),
      ("concat", { _ = $0.concatenation([$0.input, $1, $1], "cat") }),
      ("sum", { _ = $0.sum($0.input, $1, "sum") }),
      ("other sum", { _ = $0.sum($1, $0.input, "sum") }),
      ("shuffle", { _ = $0.channelShuffle($1, "again", groups: 4) }),
      ("classifier", { _ = $0.classify($1, classes: 5) }),
      (
        "gate",
        {
          let y = $0.squeezeExcitation($1, "se", reducedChannels: 3, activation: .relu)
          _ = $0.convolution(y, "c", outputChannels: 4)
        }
      ),
      (
        "residual",
        {
          var y = $0.convolution($1, "c", outputChannels: 9)
          y = $0.convolution(y, "d", outputChannels: 12)
          y = $0.batchNormalization(y, "bn")
          _ = $0.channelShuffle($0.sum($1, y, "sum"), "again", groups: 2)
        }
      ),
    ]
    for (name, make) in makers {
      for groups in [2, 3] {
        let network = try network(name, channels: 12) { builder, x in
          make(&builder, builder.channelShuffle(x, "shuffle", groups: groups))
        }
        for keeps in [false, true] {
          let found = try difference(network) { $0.keepsBatchNormalization = keeps }
          #expect(found < tolerance, "\(name), \(groups) groups")
        }
      }
    }
  }

  @Test("a shuffled image flattened before a linear layer")
  func flattenedImages() throws {
    let network = try network("flat", channels: 4, size: ImageSize(3)) { builder, x in
      let y = builder.channelShuffle(x, "shuffle", groups: 2)
      let flat = builder.add("flatten", .flatten, y, channels: 36)
      let linear = Linear(inputFeatures: 36, outputFeatures: 5, hasBias: false)
      _ = builder.add("fc", .linear(linear), flat, channels: 5)
    }
    #expect(try difference(network) < tolerance)
  }

  @Test("pools, with and without padding that counts")
  func pools() throws {
    let settings: [Pooling] = [
      Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1),
      Pooling(kind: .maximum, kernelSize: 2, stride: 2, ceilMode: true),
      Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1, ceilMode: true),
      Pooling(kind: .average, kernelSize: 3, stride: 2, padding: 1, countsPadding: false),
      Pooling(kind: .average, kernelSize: 3, stride: 1, padding: 1, countsPadding: true),
      Pooling(kind: .average, kernelSize: 1, stride: 2),
    ]
    for setting in settings {
      let network = try network("pool") { builder, x in
        _ = builder.pool(x, "pool", setting)
      }
      #expect(try difference(network) < tolerance, "\(setting)")
    }
  }

  @Test("means over a grid: equal windows, overlapping ones, more windows than pixels")
  func adaptivePools() throws {
    for size in [(9, 7), (3, 7), (1, 1), (4, 3), (2, 7), (12, 10)] {
      let network = try network("grid") { builder, x in
        let grid = ImageSize(height: size.0, width: size.1)
        let y = builder.convolution(x, "conv", outputChannels: 4)
        _ = builder.add("grid", .adaptiveAveragePool(grid), y, channels: 4)
      }
      #expect(try difference(network) < tolerance, "\(size)")
    }
  }

  @Test("zeros around the image, and rows and columns cut off")
  func padding() throws {
    for sides in [(1, 2, 0, 3), (-1, -2, 0, 0), (-1, 0, 1, 0), (-2, 3, 1, -1)] {
      let network = try network("pad") { builder, x in
        _ = builder.pad(
          x, "pad",
          ImagePadding(top: sides.0, left: sides.1, bottom: sides.2, right: sides.3))
      }
      #expect(try difference(network) < tolerance, "\(sides)")
    }
  }

  @Test("batch norms that no convolution precedes, or that are not its only reader")
  func looseNorms() throws {
    let network = try network("dense") { builder, x in
      var y = builder.batchNormalization(x, "norm1")
      y = builder.convolution(builder.activation(y, "act1", .relu), "conv", outputChannels: 8)
      let z = builder.batchNormalization(y, "norm2")
      _ = builder.concatenation([y, z], "concat")
    }
    #expect(try difference(network) < tolerance)
    #expect(operators(try exported(network))["BatchNormalization"] == 2)
  }

  @Test(
    "the authors' branched layers give the authors' outputs",
    .enabled(if: Reference.isPresent, "\(Shared.absent)"),
    arguments: ["spatial_mux-k3-c48", "spatial_mux-k5-c36", "mixed_depthwise-k3.5.7-c50-s2"])
  func authors(name: String) throws {
    let file = try WeightsFile.load(Reference.path("\(name).safetensors")).archive
    let input = try #require(file["input"]), output = try #require(file["output"])
    let isSpatial = name.hasPrefix("spatial")
    let keys = file.names.filter { $0.hasPrefix("weight.") }.sorted()
    var weights = TensorArchive()
    var list: [BranchedConvolution.Branch] = []
    for (index, key) in keys.enumerated() {
      let weight = try #require(file[key])
      let branch = String(key.dropFirst("weight.".count).dropLast(".weight".count))
      weights["layer.\(branch).weight"] = weight
      list.append(
        BranchedConvolution.Branch(
          name: branch,
          convolution: Convolution(
            inputChannels: weight.shape[0], outputChannels: weight.shape[0],
            kernelSize: weight.shape[2], stride: isSpatial ? 1 : 2, groups: weight.shape[0]),
          multiplexing: isSpatial ? [.subpixel, .none, .superpixel][index] : .none))
    }
    let network = try network(
      name, channels: input.shape[1],
      size: ImageSize(height: input.shape[2], width: input.shape[3])
    ) { builder, x in
      _ = builder.branchedConvolution(x, "layer", BranchedConvolution(branches: list))
    }
    var export = ONNXExport()
    export.batch = .dynamic
    let message = try parse(try export.model(network, weights: weights))
    var interpreter = try ReferenceInterpreter(message.graph)
    let actual = try interpreter.run(Numbers(shape: input.shape, values: input.floats))
    #expect(actual.shape == output.shape)
    let worst = zip(actual.values, output.floats).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-5)
  }

  @Test(
    "the authors' MUX blocks give the authors' outputs",
    .enabled(if: Reference.isPresent, "\(Shared.absent)"),
    arguments: [
      ("c40-l0.25-group2", "mux_k5_e4_c40_l0.25_se0.25_gw2"),
      ("c40-l0.5-scales", "mux_e6_c40_se0.75_sc-1.0.1"),
    ], [false, true])
  func authorsBlocks(block: (file: String, text: String), keepsNorms: Bool) throws {
    let file = try WeightsFile.load(Reference.path("mux_block-\(block.file).safetensors")).archive
    let input = try #require(file["input"]), output = try #require(file["output"])
    // A network of one block: an architecture's, cut out.
    let whole = try Architecture(
      name: "block", stem: .init(channels: 40), stages: [[BlockSpecification(block.text)]],
      head: .init(channels: 0)
    ).network()
    let found = try #require(whole.blocks.first { $0.name == "blocks.0.0" })
    let names = Set(whole.nodes[found.nodes].map(\.name))
    let nodes = whole.nodes[found.nodes].map { node in
      var node = node
      node.inputs = node.inputs.map { names.contains($0) ? $0 : Network.inputName }
      return node
    }
    let network = try Network(
      name: "block", inputChannels: 40,
      inputSize: ImageSize(height: input.shape[2], width: input.shape[3]), nodes: nodes)
    var weights = TensorArchive()
    for (name, tensor) in file where name.hasPrefix("state.") {
      weights["blocks.0.0.\(name.dropFirst("state.".count))"] = tensor
    }
    let message = try exported(network, weights) {
      $0.batch = .fixed(input.shape[0])
      $0.keepsBatchNormalization = keepsNorms
    }
    var interpreter = try ReferenceInterpreter(message.graph)
    let actual = try interpreter.run(Numbers(shape: input.shape, values: input.floats))
    #expect(actual.shape == output.shape)
    let scale = output.floats.map(abs).max() ?? 0
    let worst = zip(actual.values, output.floats).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst < 1e-5 * scale)
  }
}
