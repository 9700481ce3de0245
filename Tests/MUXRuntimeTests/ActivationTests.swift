// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

/// Activations over their whole range, against their definition in double precision.
@Suite("Activations")
struct ActivationTests {
  private func reference(_ activation: Activation, _ x: Double) -> Double {
    switch activation.kind {
    case .identity: x
    case .relu: max(x, 0)
    case .relu6: min(max(x, 0), 6)
    case .swish: x / (1 + exp(-x))
    case .sigmoid: 1 / (1 + exp(-x))
    case .hardSwish: x * min(max(x + 3, 0), 6) / 6
    case .hardSigmoid: min(max(activation.alpha * x + activation.beta, 0), 1)
    }
  }

  @Test(
    "Every activation is right to single precision, from the smallest to the largest values",
    arguments: availableSets)
  func wholeRange(set: InstructionSet) throws {
    var values = (-4000...4000).map { Float($0) / 200 }
    for exponent in -120...120 {
      let size = Float(sign: .plus, exponent: exponent, significand: 1.37)
      values += [size, -size]
    }
    values += [-87.5, -86, 86, 87.5, -0.0, 0, .greatestFiniteMagnitude, .leastNormalMagnitude]
    let size = ImageSize(height: 1, width: values.count)
    // Keras's slope, and one that has no symmetry.
    let slopes: [Activation] = [
      .hardSigmoid(slope: 0.2, valueAtZero: 0.5), .hardSigmoid(slope: 0.5, valueAtZero: 0.25),
    ]
    for activation in Activation.allCases + slopes where activation != .identity {
      var builder = NetworkBuilder(name: "activation", inputChannels: 1, inputSize: size)
      _ = builder.activation(builder.input, "act", activation)
      let network = try builder.build()
      let plan = try InferencePlan(
        network, weights: RandomWeights.archive(network, seed: 1), inputSize: size,
        instructionSet: set, isGuarded: true)
      let actual = try InferenceEngine(plan).run(values)
      for (x, y) in zip(values, actual) {
        let expected = reference(activation, Double(x))
        // e^−x is right to as much as −x is, so errors grow with |x|; beyond ±86 it stays e^86.
        let size = abs(Double(x))
        let bound = abs(expected) * (1e-6 + 1.2e-7 * min(size, 90)) + 5e-38 * size + 1e-33
        #expect(abs(Double(y) - expected) <= bound, "\(activation)(\(x)) is \(expected), not \(y)")
      }
    }
  }

  @Test(
    "Beside results of bfloat16 swish is right to half their last place",
    arguments: availableSets)
  func coarseSwish(set: InstructionSet) throws {
    // Every number of bfloat16 between 2⁻²⁰ and 2⁵, and zero, so that nothing but swish errs.
    let sizes = (UInt32(0x3580)...0x4200).map { Float(bitPattern: $0 << 16) }
    let values = sizes + sizes.map { -$0 } + [0]
    let size = ImageSize(height: 1, width: values.count)
    var builder = NetworkBuilder(name: "swish", inputChannels: 2, inputSize: size)
    let copy = builder.convolution(builder.input, "copy", outputChannels: 1)
    _ = builder.activation(copy, "act", .swish)
    let network = try builder.build()
    var weights = TensorArchive()
    weights["copy.weight"] = ArchivedTensor([1, 0], shape: [1, 2, 1, 1])
    let plan = try InferencePlan(
      network, weights: weights, inputSize: size, instructionSet: set, isGuarded: true,
      precision: .bfloat16)
    let actual = try InferenceEngine(plan).run(values + values)
    for (x, y) in zip(values, actual) {
      let expected = reference(.swish, Double(x))
      let bound = 5e-4 * abs(Double(x)) + 1e-12
      #expect(abs(Double(y) - expected) <= bound, "swish(\(x)) is \(expected), not \(y)")
    }
  }
}
