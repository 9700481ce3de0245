// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

@Suite("Weights at the ends of the range")
struct ExtremeWeightsTests {
  /// Sizes around the smallest whose inverse of a scale is finite, down to the smallest of all.
  static let sizes: [Float] = [1e-36, 1e-37, 0x1p-133, .leastNonzeroMagnitude]

  /// A network with every kind of packed weights, each with a batch norm where it can have one.
  private func network() throws -> Network {
    var builder = NetworkBuilder(name: "tiny", inputChannels: 1, inputSize: ImageSize(16))
    func normalized(_ x: NetworkBuilder.Value, _ name: String) -> NetworkBuilder.Value {
      builder.activation(builder.batchNormalization(x, "\(name)_bn"), "\(name)_act", .relu)
    }
    var x = builder.convolution(
      builder.input, "conv_stem", outputChannels: 8, kernelSize: 3, stride: 2)
    x = normalized(x, "conv_stem")
    x = normalized(builder.convolution(x, "conv_pw", outputChannels: 20), "conv_pw")
    x = builder.convolution(x, "conv_dw", outputChannels: 20, kernelSize: 3, groups: 20)
    x = normalized(x, "conv_dw")
    x = builder.squeezeExcitation(x, "se", reducedChannels: 4, activation: .relu)
    x = builder.batchNormalization(
      builder.convolution(x, "conv_pwl", outputChannels: 12), "conv_pwl_bn")
    x = normalized(builder.convolution(x, "conv_head", outputChannels: 24), "conv_head")
    _ = builder.classify(x, classes: 10)
    return try builder.build()
  }

  private func outputs(
    _ network: Network, _ weights: TensorArchive, _ precision: Precision
  ) throws -> [Float] {
    let calibrator = try Calibrator(network, weights: weights)
    let input = pixels(network.inputChannels * 256, seed: 3)
    try calibrator.add(input)
    let bytes = try PackedModel.bytes(
      network, weights: weights, precision: precision, calibration: calibrator.calibration,
      lanes: [InstructionSet.current.lanes])
    let model = try PackedModel(ByteRegion(bytes), path: "memory")
    return try InferenceEngine(InferencePlan(model)).run(input)
  }

  private func scaled(
    _ weights: TensorArchive, _ name: String, rows: Range<Int>?, to size: Float
  ) throws -> TensorArchive {
    var archive = weights
    let tensor = try #require(archive[name])
    var values = tensor.floats
    let width = values.count / max(tensor.shape.first ?? 1, 1)
    let places = rows.map { $0.lowerBound * width..<$0.upperBound * width } ?? values.indices
    for place in places { values[place] = values[place] < 0 ? -size : size }
    archive[name] = ArchivedTensor(values, shape: tensor.shape)
    return archive
  }

  @Test(
    "One channel of each kind of layer, and whole layers, may vanish in every precision",
    arguments: [Precision.float32, .bfloat16, .int8])
  func vanishing(precision: Precision) throws {
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 2)
    // Convolutions of every kind, squeeze and excitation, the classifier, batch norms.
    let names = network.parameters.filter {
      [.convolutionWeight, .linearWeight, .normalizationScale].contains($0.role)
    }.map(\.name)
    #expect(names.count >= 12)
    for name in names {
      for rows in [0..<1, nil] {
        let zero = try outputs(network, scaled(weights, name, rows: rows, to: 0), precision)
        for size in Self.sizes {
          let actual = try outputs(
            network, scaled(weights, name, rows: rows, to: size), precision)
          #expect(difference(actual, zero) < 1e-3, "\(name) \(size) \(String(describing: rows))")
        }
      }
    }
  }

  @Test("Channels that 8 bits make 0 are counted by tensor; those that are 0 are not")
  func counted() throws {
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 2)
    let name = try #require(
      network.parameters.first { $0.name.hasSuffix("conv_pwl.weight") }
    ).name
    func vanishing(_ size: Float) throws -> [VanishingChannels] {
      let archive = try scaled(weights, name, rows: 0..<2, to: size)
      let calibrator = try Calibrator(network, weights: archive)
      try calibrator.add(pixels(network.inputChannels * 256, seed: 3))
      return try PackedModel.pack(
        CheckedWeights(archive, for: network), precision: .int8,
        calibration: calibrator.calibration, lanes: [8]
      ).vanishing
    }
    #expect(try vanishing(0x1p-133) == [VanishingChannels(tensor: name, count: 2)])
    #expect(try vanishing(0).isEmpty)
    #expect(try vanishing(1e-20).isEmpty)
  }

  @Test("Weights that a precision cannot hold are an error that names the tensor")
  func tooLarge() throws {
    let network = try network()
    let weights = RandomWeights.archive(network, seed: 2)
    for kind in ["conv_pw.weight", "conv_pwl.weight", "conv_dw.weight"] {
      let name = try #require(network.parameters.first { $0.name.hasSuffix(kind) }).name
      // Finite, but not with the batch norm's factor, which is some number around 1.
      for precision in [Precision.float32, .bfloat16] {
        let archive = try scaled(weights, name, rows: nil, to: .greatestFiniteMagnitude)
        let error = #expect(throws: TensorValueError.self, "\(kind) \(precision)") {
          try PackedModel.bytes(network, weights: archive, precision: precision)
        }
        #expect(error?.tensor == name)
        #expect(error?.reason == .packing(precision: precision.rawValue))
        #expect(throws: TensorValueError.self) {
          try InferencePlan(network, weights: archive, precision: precision)
        }
      }
    }
  }
}
