// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
package import MUXSearch
package import MUXTensor
package import MUXTraining

/// The tensors that the networks of a space share, under training.
///
/// A network of a step is an ordinary model over parts of them: the same fused operations run, and gradients
/// flow on into the whole tensors.
package final class SupernetTensors: SharedWeights {
  private let sharing: WeightSharing
  private let ends: WeightSharing.Ends
  private let settings: SupernetConfiguration
  private let seed: UInt64
  private let tensors: [String: Tensor]
  private let generator: TorchGenerator

  /// Fresh tensors.
  ///
  /// - Parameters:
  ///   - sharing: How networks share them.
  ///   - ends: The smallest and the largest of those that are trained.
  ///   - settings: Which are trained.
  ///   - seed: Decides the tensors and the networks of each step.
  ///   - device: Where they are.
  package convenience init(
    _ sharing: WeightSharing, ends: WeightSharing.Ends, settings: SupernetConfiguration,
    seed: UInt64, device: Device
  ) throws {
    let rule = try sharing.network(ends.largest).initialization
    let initializer = ParameterInitializer(rule, seed: seed)
    var tensors: [String: Tensor] = [:]
    for (index, shared) in sharing.tensors.enumerated() {
      let specification = ParameterSpecification(
        name: shared.name, shape: shared.shape, role: shared.role, node: 0, branch: nil,
        groups: shared.groups)
      let tensor = try initializer.tensor(specification, index: index).to(device)
      tensors[shared.name] = tensor
      if specification.isLearnable { try tensor.setRequiresGrad() }
    }
    try self.init(sharing, ends, settings, seed, tensors)
  }

  private init(
    _ sharing: WeightSharing, _ ends: WeightSharing.Ends, _ settings: SupernetConfiguration,
    _ seed: UInt64, _ tensors: [String: Tensor]
  ) throws {
    self.sharing = sharing
    self.ends = ends
    self.settings = settings
    self.seed = seed
    self.tensors = tensors
    generator = try TorchGenerator(
      seed: seed, device: tensors.first?.value.device ?? .cpu)
  }

  package var namedState: [NamedTensor] {
    sharing.tensors.compactMap { shared in
      tensors[shared.name].map { NamedTensor(name: shared.name, tensor: $0) }
    }
  }

  package var parameters: [NamedTensor] { namedState.filter(\.tensor.requiresGrad) }

  package var metadata: [String: String] {
    [
      "format": "supernet 1", "space": sharing.space.name,
      "widths": sharing.widths.rawValue,
    ]
  }

  package var summary: String {
    let scalars = parameters.reduce(0) { $0 + $1.tensor.shape.reduce(1, *) }
    func text(_ genome: Genome) -> String {
      sharing.costs(of: genome).map {
        "\($0.parameters) parameters and \($0.multiplyAdds) multiply-adds"
      } ?? "unknown costs"
    }
    return
      "super-network of the space '\(sharing.space.name)': \(scalars) shared parameters; the largest"
      + " network has \(text(ends.largest)), the smallest \(text(ends.smallest))"
  }

  package func copied() throws -> any SharedWeights {
    let copies = try tensors.mapValues { try $0.detach().clone() }
    return try SupernetTensors(sharing, ends, settings, seed, copies)
  }

  package func write(to folder: String) throws {
    try AtomicFile.write(Array(try sharing.space.yaml().utf8), to: "\(folder)/space.yaml")
  }

  package func networks(step: Int, batch: Int) throws -> [SharedNetwork] {
    var random = RandomStream(
      seed: seed, purpose: .networks, indices: UInt64(step), UInt64(batch))
    var genomes: [Genome] = []
    switch settings.rule {
    case .single: genomes.append(try sharing.drawn(with: &random))
    case .sandwich:
      genomes.append(sharing.varied(ends.largest, with: &random))
      for _ in 0..<settings.drawnNetworks { genomes.append(try sharing.drawn(with: &random)) }
      genomes.append(sharing.varied(ends.smallest, with: &random))
    }
    return try genomes.map(network)
  }

  /// The network of a genome over its part of the tensors.
  package func network(_ genome: Genome) throws -> SharedNetwork {
    let network = try sharing.network(genome)
    let slices = Dictionary(
      try sharing.slices(genome, of: network).map { ($0.parameter, $0) },
      uniquingKeysWith: { first, _ in first })
    var parts: [Tensor] = []
    var copies: [(slice: SharedSlice, part: Tensor)] = []
    for parameter in network.parameters {
      guard let slice = slices[parameter.name] else {
        // Counters of batches count for one network, and these are none of anybody's.
        parts.append(try Tensor.zeros(parameter.shape, dtype: .int64))
        continue
      }
      let part = try part(slice)
      if !parameter.isLearnable, !slice.rows.isPrefix { copies.append((slice, part)) }
      parts.append(part)
    }
    let model = try NetworkModel(network, tensors: parts, generator: generator)
    return SharedNetwork(model: model) { [self] in
      for (slice, part) in copies { try write(part, back: slice) }
    }
  }

  package func fill(_ model: NetworkModel) throws {
    try withoutGradient {
      for slice in try sharing.slices(ends.largest) {
        guard let target = model.tensor(named: slice.parameter) else {
          throw SupernetError.missing(path: sharing.space.name, tensor: slice.parameter)
        }
        try target.copyInPlace(from: try part(slice))
      }
    }
  }

  /// A part of a tensor: itself or a view where it can be.
  private func part(_ slice: SharedSlice) throws -> Tensor {
    guard let whole = tensors[slice.tensor] else {
      throw SupernetError.missing(path: sharing.space.name, tensor: slice.tensor)
    }
    var part = try Self.select(whole, 0, slice.rows)
    if let columns = slice.columns { part = try Self.select(part, 1, columns) }
    if let kernel = slice.kernel, kernel < part.size(2) {
      let margin = (part.size(2) - kernel) / 2
      part = try part.narrow(2, start: margin, length: kernel)
        .narrow(3, start: margin, length: kernel)
    }
    guard part.rank == 4, part.device == .cpu else { return part }
    return try part.contiguous(.channelsLast)
  }

  private static func select(
    _ tensor: Tensor, _ dimension: Int, _ positions: [Int]
  ) throws -> Tensor {
    guard positions.isPrefix else {
      return try tensor.select(
        dimension,
        indices: Tensor(positions.map { Int64($0) }, device: tensor.device))
    }
    guard positions.count < tensor.size(dimension) else { return tensor }
    return try tensor.narrow(dimension, start: 0, length: positions.count)
  }

  /// Puts statistics that a pass has changed in a copy into their places.
  private func write(_ part: Tensor, back slice: SharedSlice) throws {
    guard let whole = tensors[slice.tensor] else { return }
    var values = try whole.floats()
    for (row, value) in zip(slice.rows, try part.floats()) { values[row] = value }
    let filled = try Tensor(values, shape: whole.shape).to(whole.device)
    try withoutGradient { () throws(TorchError) in try whole.copyInPlace(from: filled) }
  }
}

extension RandomStream.Purpose {
  /// The networks of a step.
  fileprivate static let networks = RandomStream.Purpose(rawValue: 102)
}

extension [Int] {
  /// Whether these are the first positions, in order.
  fileprivate var isPrefix: Bool { elementsEqual(indices) }
}
