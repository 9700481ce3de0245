// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
import MUXTensor

/// Learns the values of some of a teacher's layers in some of the student's (Romero et al. 2015).
///
/// A 1×1 convolution leads from the student's channels to the teacher's. It is trained with the student
/// and saved in its checkpoints, but is no part of the network.
final class FeatureMatching {
  /// A layer of each that say the same.
  private struct Pair {
    var student: Int
    var teacher: Int
  }

  /// The weights of the convolutions, one for each pair.
  let projections: [NamedTensor]
  /// The teacher's layers, one for each pair.
  let teacherLayers: [String]
  /// What is learned from what, in a line.
  let summary: String
  private let pairs: [Pair]
  private let model: NetworkModel

  /// Pairs the layers and makes fresh convolutions.
  ///
  /// - Parameters:
  ///   - texts: `auto`, names, or `student=teacher`.
  ///   - student: The network that learns; from now on it keeps the layers' values.
  ///   - size: The size of its images.
  ///   - teacher: The network that is learned from.
  ///   - teacherSize: The size of its images.
  ///   - seed: Decides the fresh weights.
  /// - Throws: `NetworkError` for layers that are not there, `ConfigurationError` for those whose maps are
  ///   of other sizes.
  init(
    _ texts: [String], student: NetworkModel, size: ImageSize, teacher: Network,
    teacherSize: ImageSize, seed: UInt64
  ) throws {
    let own = try student.network.shapes(inputSize: size)
    let theirs = try teacher.shapes(inputSize: teacherSize)
    let pairs = try texts.flatMap { try Self.pairs($0, student.network, own, teacher, theirs) }
    self.pairs = pairs
    model = student
    projections = try pairs.enumerated().map { index, pair in
      try Self.projection(
        index, from: own[pair.student].channels, to: theirs[pair.teacher].channels, seed: seed,
        on: student.device)
    }
    student.watched = Set(pairs.map(\.student))
    teacherLayers = pairs.map { teacher.nodes[$0.teacher].name }
    summary =
      "features learned from the teacher: "
      + pairs.map { pair in
        let shape = own[pair.student]
        return "\(student.network.nodes[pair.student].name) from"
          + " \(teacher.nodes[pair.teacher].name) (\(shape.height)×\(shape.width))"
      }.joined(separator: ", ")
  }

  /// The fresh weight of a pair's convolution.
  private static func projection(
    _ index: Int, from: Int, to: Int, seed: UInt64, on device: Device
  ) throws -> NamedTensor {
    var random = RandomStream(
      seed: seed, purpose: .initialization, indices: UInt64(index), UInt64(from), UInt64(to))
    let generator = try TorchGenerator(seed: random.next())
    let weight = try generator.normal(
      [to, from, 1, 1], deviation: (1 / Double(from)).squareRoot()
    )
    .to(device)
    try weight.setRequiresGrad()
    return NamedTensor(name: "distillation.features.\(index).weight", tensor: weight)
  }

  /// The pairs that a text means: `auto`, a name, or `student=teacher`.
  private static func pairs(
    _ text: String, _ student: Network, _ own: [Shape], _ teacher: Network, _ theirs: [Shape]
  ) throws -> [Pair] {
    func refuse(_ reason: String) -> ConfigurationError {
      ConfigurationError(
        setting: "distillation.features", value: text.printable, expected: reason)
    }
    if text == "auto" {
      let found = pairs(student, own, teacher, theirs)
      guard !found.isEmpty else {
        throw refuse(
          "no two blocks of \(student.name) and \(teacher.name) have maps of one size; name the"
            + " layers, or train at another size")
      }
      return found
    }
    let names = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard let first = names.first, let last = names.last else {
      throw refuse("give auto, the name of a layer, or student=teacher")
    }
    let pair = Pair(
      student: try student.index(ofLayer: first), teacher: try teacher.index(ofLayer: last))
    let (a, b) = (own[pair.student], theirs[pair.teacher])
    guard !student.isFlat(pair.student), !teacher.isFlat(pair.teacher), a.height == b.height,
      a.width == b.width
    else {
      throw refuse(
        "the student's layer gives \(a.height)×\(a.width), the teacher's"
          + " \(b.height)×\(b.width); maps of one size can be matched")
    }
    return [pair]
  }

  /// The last block of each size of maps that both have, the largest maps first.
  private static func pairs(
    _ student: Network, _ own: [Shape], _ teacher: Network, _ theirs: [Shape]
  ) -> [Pair] {
    func last(_ network: Network, _ shapes: [Shape]) -> [[Int]: Int] {
      var found: [[Int]: Int] = [:]
      for block in network.blocks {
        let node = block.nodes.upperBound - 1
        let shape = shapes[node]
        guard !network.isFlat(node), shape.height * shape.width > 1 else { continue }
        let key = [shape.height, shape.width]
        found[key] = max(found[key] ?? 0, node)
      }
      return found
    }
    let (a, b) = (last(student, own), last(teacher, theirs))
    return a.keys.sorted { $0[0] * $0[1] > $1[0] * $1[1] }.compactMap { key in
      guard let mine = a[key], let other = b[key] else { return nil }
      return Pair(student: mine, teacher: other)
    }
  }

  /// The mean over the pairs of Σ(p − t)² / Σt², where t is the teacher's value and p what the convolution
  /// makes of the student's in its last forward pass.
  func distance(from teacher: [Tensor]) throws -> Tensor {
    var sum: Tensor?
    for (index, pair) in pairs.enumerated() {
      guard let value = model.watchedValues[pair.student], index < teacher.count else {
        throw ExecutionError.segment(
          nodes: pair.student..<pair.student + 1, reason: "its value was not kept")
      }
      let target = try teacher[index].to(value.device)
      let scale = try target.squared().sum().item()
      let projected = try value.to(.float32).conv2d(weight: projections[index].tensor)
      let part =
        try (projected - target).squared().sum() * (1 / max(scale, 1e-12) / Double(pairs.count))
      sum = try sum.map { try $0 + part } ?? part
    }
    guard let sum else { return try Tensor([Float(0)], shape: []) }
    return sum
  }
}
