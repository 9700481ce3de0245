// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

@Suite("Weights checked against their network")
struct CheckedWeightsTests {
  private let network: Network
  private let weights: TensorArchive

  init() throws {
    network = try Network.digits()
    weights = RandomWeights.archive(network, seed: 1)
  }

  private func name(_ role: ParameterSpecification.Role) throws -> String {
    try #require(network.parameters.first { $0.role == role }).name
  }

  /// The weights with one number of a tensor replaced.
  private func changed(_ name: String, at place: Int = 0, to value: Float) throws -> TensorArchive {
    var archive = weights
    let tensor = try #require(archive[name])
    var values = tensor.floats
    values[place] = value
    archive[name] = ArchivedTensor(values, shape: tensor.shape)
    return archive
  }

  @Test(
    "A number that is not finite is an error that names the tensor, whatever the tensor is",
    arguments: [
      ParameterSpecification.Role.convolutionWeight, .linearWeight, .bias, .normalizationScale,
      .normalizationShift, .runningMean, .runningVariance,
    ], [Float.nan, .infinity, -.infinity])
  func notFinite(role: ParameterSpecification.Role, value: Float) throws {
    let name = try name(role)
    let archive = try changed(name, at: 1, to: value)
    let error = #expect(throws: TensorValueError.self) {
      try CheckedWeights(archive, for: network, path: "w.safetensors")
    }
    #expect(error?.tensor == name && error?.path == "w.safetensors")
    guard case .notFinite(let count, _, let first, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(count == 1 && first == 1)
    #expect(throws: TensorValueError.self) { try InferencePlan(network, weights: archive) }
    #expect(throws: TensorValueError.self) { try PackedModel.bytes(network, weights: archive) }
  }

  @Test("Each floating-point type is looked at; integers never are")
  func elementTypes() throws {
    for type in [ElementType.float64, .float32, .float16, .bfloat16] {
      for value in [Float.nan, .infinity] {
        let tensor = ArchivedTensor([1, -2, value, 0], shape: [4]).converted(to: type)
        #expect(!tensor.isFinite, "\(type)")
      }
      let greatest: Float = type == .float16 ? 65504 : 3e38
      let sound = ArchivedTensor([greatest, -greatest, 0, 1e-7], shape: [4]).converted(to: type)
      #expect(sound.isFinite, "\(type)")
    }
    #expect(ArchivedTensor(integers: [.max, .min, -1], shape: [3]).isFinite)
  }

  @Test("A double beyond single precision is an error")
  func wideDoubles() throws {
    let name = try name(.linearWeight)
    var archive = weights
    let tensor = try #require(archive[name])
    var values = tensor.floats.map { Double($0) }
    values[3] = 1e300
    archive[name] = ArchivedTensor(
      elementType: .float64, shape: tensor.shape, bytes: ByteRegion(copyingMemoryOf: values))
    let error = #expect(throws: TensorValueError.self) { try CheckedWeights(archive, for: network) }
    #expect(
      error?.reason == .overflow(count: 1, type: .float32, first: 3, value: "1e+300"))
  }

  @Test("Variances below zero are an error; 0, denormals and −0 are none")
  func variances() throws {
    let name = try name(.runningVariance)
    let error = #expect(throws: TensorValueError.self) {
      try CheckedWeights(try changed(name, at: 2, to: -1e-9), for: network)
    }
    #expect(error?.tensor == name)
    #expect(error?.reason == .negativeVariance(count: 1, first: 2, value: "-1e-09"))
    // The name alone tells, where no network is there.
    #expect(throws: TensorValueError.self) {
      try changed(name, at: 2, to: -1).checkValues()
    }
    for value in [Float(0), -0, 0x1p-133, 3e38] {
      _ = try CheckedWeights(try changed(name, to: value), for: network)
    }
  }

  @Test("A batch norm whose factor leaves single precision is named, with its channel")
  func foldedOverflow() throws {
    let scale = try name(.normalizationScale), variance = try name(.runningVariance)
    var archive = try changed(scale, at: 1, to: 3e38)
    archive[variance] = ArchivedTensor(
      Array(repeating: 0, count: try #require(archive[variance]).count),
      shape: try #require(archive[variance]).shape)
    let error = #expect(throws: TensorValueError.self) { try CheckedWeights(archive, for: network) }
    #expect(error?.tensor == scale && error?.reason == .normalization(channel: 1))
  }

  @Test("What is missing, unexpected or of another shape is all in one error")
  func mismatch() throws {
    var archive = weights
    let missing = try name(.linearWeight)
    archive[missing] = nil
    archive["extra"] = ArchivedTensor([1], shape: [1])
    let reshaped = try name(.convolutionWeight)
    archive[reshaped] = ArchivedTensor([1], shape: [1])
    let error = #expect(throws: WeightsMismatchError.self) {
      try CheckedWeights(archive, for: network)
    }
    #expect(error?.report.missing == [missing] && error?.report.unexpected == ["extra"])
    #expect(error?.report.mismatched.map(\.name) == [reshaped])
    // The counts of batches may be missing.
    archive = weights
    for parameter in network.parameters where parameter.role == .batchCount {
      archive[parameter.name] = nil
    }
    _ = try CheckedWeights(archive, for: network)
  }

  @Test("A batch norm as factors is computed in double precision, for either type")
  func affine() throws {
    let checked = try CheckedWeights(weights, for: network)
    let node = try #require(
      network.nodes.first { if case .batchNormalization = $0.operation { true } else { false } })
    guard case .batchNormalization(let norm) = node.operation else { return }
    func values(_ suffix: String) throws -> [Float] {
      try #require(weights["\(node.name).\(suffix)"]).floats
    }
    let gamma = try values("weight"), beta = try values("bias")
    let mean = try values("running_mean"), variance = try values("running_var")
    let exact = checked.affine(norm, node.name, as: Double.self)
    let single = checked.affine(norm, node.name, as: Float.self)
    for c in 0..<norm.channels {
      let scale = Double(gamma[c]) / (Double(variance[c]) + norm.epsilon).squareRoot()
      #expect(exact.scale[c] == scale && single.scale[c] == Float(scale))
      #expect(exact.shift[c] == Double(beta[c]) - Double(mean[c]) * scale)
      #expect(single.shift[c] == Float(exact.shift[c]))
    }
  }

  @Test("Names end as the roles say")
  func roles() {
    for parameter in network.parameters {
      #expect(parameter.name.hasSuffix(".\(parameter.role.suffix)"))
    }
  }
}

@Suite("Numbers in narrower types")
struct NarrowingTests {
  @Test("What a type cannot hold is an error; what is not finite stays so")
  func overflow() throws {
    let tensor = ArchivedTensor([1, 65520, -70000], shape: [3])
    #expect(
      throws: TensorValueError.Reason.overflow(
        count: 2, type: .float16, first: 1, value: "65520.0")
    ) { try tensor.narrowed(to: .float16) }
    #expect(try ArchivedTensor([65519], shape: [1]).narrowed(to: .float16).floats == [65504])
    let greatest = Float.greatestFiniteMagnitude
    #expect(throws: TensorValueError.Reason.self) {
      try ArchivedTensor([greatest], shape: [1]).narrowed(to: .bfloat16)
    }
    #expect(try ArchivedTensor([3.38e38], shape: [1]).narrowed(to: .bfloat16).isFinite)
    #expect(try !ArchivedTensor([.infinity], shape: [1]).narrowed(to: .float16).isFinite)
    var archive = TensorArchive()
    archive["a.weight"] = tensor
    let error = #expect(throws: TensorValueError.self) {
      try archive.convertingFloatingPoint(to: .float16, path: "w.pth")
    }
    #expect(error?.tensor == "a.weight")
    #expect(error?.description.hasPrefix("w.pth: tensor “a.weight” has 2 values beyond") == true)
  }

  @Test("Rows that become 0 are counted; those that were 0 are not")
  func vanishing() {
    let tensor = ArchivedTensor([1e-9, -1e-9, 0, 0, 1e-9, 1], shape: [3, 2])
    #expect(tensor.rowsThatVanish(in: tensor.converted(to: .float16)) == 1)
    let list = ArchivedTensor([1e-9, 0, 1], shape: [3])
    #expect(list.rowsThatVanish(in: list.converted(to: .float16)) == 1)
  }
}
