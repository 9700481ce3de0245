// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXPyTorch
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

@Suite(.enabled(if: Reference.isPresent, "\(Shared.absent)"))
struct ReferenceTests {
  func muxNet() throws -> Network {
    try ModelZoo.architecture(named: "muxnet_m")
      .applying(ModelOptions(classes: 10, inputSize: ImageSize(64), widthMultiplier: 0.5))
      .network()
  }

  @Test(
    "the authors' MUXNet-m gives their logits, from either kind of file",
    arguments: ["safetensors", "pth.tar"])
  func logits(suffix: String) throws {
    let model = try NetworkModel(muxNet(), seed: 1)
    let report = try model.load(path: Reference.path("muxnet_m-half-10classes.\(suffix)"))
    #expect(report.isComplete && report.loaded.count == 413)
    let io = try Reference.archive("muxnet_m-half-10classes.io.safetensors")
    let found = try withoutGradient { try model.forward(io.tensor("input")) }
    #expect(try relativeDifference(found, io.tensor("logits")) < 1e-4)
  }

  @Test("the same net in double precision agrees with single precision")
  func doublePrecision() throws {
    let model = try NetworkModel(muxNet(), seed: 1, dtype: .float64)
    try model.load(path: Reference.path("muxnet_m-half-10classes.safetensors"))
    let io = try Reference.archive("muxnet_m-half-10classes.io.safetensors")
    let found = try withoutGradient { try model.forward(io.tensor("input").to(.float64)) }
    #expect(found.dtype == .float64)
    #expect(try relativeDifference(found, io.tensor("logits").to(.float64)) < 1e-5)
  }

  @Test("state dict names and order are PyTorch's")
  func names() throws {
    let model = try NetworkModel(muxNet(), seed: 1)
    let file = try WeightsFile.load(Reference.path("muxnet_m-half-10classes.pth.tar"))
    #expect(model.specifications.map(\.name) == file.archive.names)
  }

  @Test(
    "the authors' MUX blocks give their outputs",
    arguments: ["c40-l0.25-group2", "c40-l0.5-scales"])
  func blocks(name: String) throws {
    let scaled = name.hasSuffix("scales")
    let block =
      scaled
      ? BlockSpecification(
        .mux, channels: 40, expansion: 6, squeezeRatio: 0.75,
        scales: [.subpixel, .none, .superpixel])
      : BlockSpecification(
        .mux, channels: 40, kernelSizes: [5], expansion: 4, squeezeRatio: 0.25,
        leaveOutRatio: 0.25, groupWidth: 2)
    let model = try NetworkModel(single(block), seed: 1)
    let file = try Reference.archive("mux_block-\(name).safetensors")
    try model.load(file.entries(under: "state.").renamed { "blocks.0.0.\($0)" })
    let found = try withoutGradient { try model.forward(file.tensor("input")) }
    #expect(try relativeDifference(found, file.tensor("output")) < 1e-4)
  }

  /// A network of one block: an architecture's, cut out.
  func single(_ block: BlockSpecification) throws -> Network {
    let whole = try Architecture(
      name: "block", stem: .init(channels: block.channels), stages: [[block]],
      head: .init(channels: 0)
    ).network()
    let found = try #require(whole.blocks.first { $0.name == "blocks.0.0" })
    let names = Set(whole.nodes[found.nodes].map(\.name))
    let nodes = whole.nodes[found.nodes].map { node in
      var node = node
      node.inputs = node.inputs.map { names.contains($0) ? $0 : Network.inputName }
      return node
    }
    return try Network(
      name: "block", inputChannels: block.channels, inputSize: ImageSize(14), nodes: nodes)
  }

  @Test(
    "the authors' branched convolutions give their outputs and gradients",
    arguments: ["spatial_mux-k3-c48", "spatial_mux-k5-c36", "mixed_depthwise-k3.5.7-c50-s2"])
  func layers(name: String) throws {
    let file = try Reference.archive("\(name).safetensors")
    let input = try file.tensor("input").setRequiresGrad()
    let isSpatial = name.hasPrefix("spatial")
    let kernels = isSpatial ? [Int](repeating: name.contains("k3") ? 3 : 5, count: 3) : [3, 5, 7]
    let scales: [SpatialMultiplexing] =
      isSpatial ? [.subpixel, .none, .superpixel] : [.none, .none, .none]
    let branches = try zip(kernels, scales).enumerated().map { index, pair in
      let (kernel, scale) = pair
      let branch =
        isSpatial ? (scale == .none ? "convs.\(index)" : "convs.\(index).1") : "\(index)"
      let channels = try #require(file["weight.\(branch).weight"]).shape[0]
      return BranchedConvolution.Branch(
        name: branch,
        convolution: Convolution(
          inputChannels: channels, outputChannels: channels, kernelSize: kernel,
          stride: isSpatial ? 1 : 2, groups: channels),
        multiplexing: scale)
    }
    let network = try smallNetwork(name, inputChannels: input.shape[1]) { builder, x in
      _ = builder.branchedConvolution(x, "conv_dw", BranchedConvolution(branches: branches))
    }
    let model = try NetworkModel(network, seed: 1)
    try model.load(file.entries(under: "weight.").renamed { "conv_dw.\($0)" })
    let output = try model.forward(input)
    #expect(try relativeDifference(output, file.tensor("output")) < 1e-4)
    try output.backward(file.tensor("output_gradient"))
    let inputGradient = try #require(try input.grad())
    #expect(try relativeDifference(inputGradient, file.tensor("input_gradient")) < 1e-4)
    for parameter in model.parameters {
      let suffix = parameter.name.dropFirst("conv_dw.".count)
      let gradient = try #require(try parameter.tensor.grad())
      #expect(
        try relativeDifference(gradient, file.tensor("gradient.\(suffix)")) < 1e-4,
        "\(parameter.name)")
    }
  }
}
