// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// How the networks of a space share weights: one set of tensors, of which each network takes a part.
///
/// - *Kernels* are cut from the centre of the largest one.
/// - *Expanded channels* are the first ones of each of equal sections (``ChannelSections``), so that a
///   channel stays in its branch; where branches move between space and channels, by place in the window.
/// - *Channels left out*: a block reads and writes the first ones.
/// - *Repeats*: the first blocks of a stage. A skipped block would also have shuffled the channels, so the
///   next layer reads them in the order in which it would have seen them.
/// - *Spatial weights* and what normalises them are shared only where their shapes are the same: each
///   multiplexing and each mixture of kernels has its own.
/// - *Widths*: the first channels, or tensors of their own for each width (``Widths``).
///
/// A network with its part of the weights is an ordinary one; nothing of the sharing is left in it.
package struct WeightSharing: Sendable {
  /// What networks of different widths share.
  package enum Widths: String, Sendable, Hashable, Codable, CaseIterable {
    /// The first channels of the widest. The shuffle then pairs other channels in each width.
    case shared
    /// Nothing that reads channels of a stage: for each width that comes in a tensor of its own.
    case own
  }

  /// The space, limits included.
  package let space: NetworkSpace
  /// What networks of different widths share.
  package let widths: Widths
  /// The shared tensors, in the order of the layers.
  package private(set) var tensors: [SharedTensor] = []

  private var sections: [String: ChannelSections] = [:]
  let domain: NetworkDomain

  /// The sharing of a space.
  ///
  /// - Throws: `SearchError` for a space whose slices do not go together, `NetworkError` for a block
  ///   that cannot be built.
  package init(_ space: NetworkSpace, widths: Widths = .shared) throws {
    self.space = space
    self.widths = widths
    domain = NetworkDomain(space)
    var builder = SharedTensorList()
    let stem = try probe(nil, inputs: space.stem.max() ?? 1).others
      .filter { $0.place == .stem || $0.place == .stemNorm }
    builder.add({ outerSlice($0, order: [], hasHead: true) }, of: stem)
    for family in try space.families() { try add(family, to: &builder) }
    try addHeads(to: &builder)
    tensors = builder.tensors
  }

  /// The network of a genome.
  ///
  /// - Throws: `SearchError.notInSpace` for a genome of another space, `NetworkError`.
  package func network(_ genome: Genome, name: String? = nil) throws -> Network {
    try architecture(genome, name: name).network()
  }

  /// The architecture of a genome.
  ///
  /// - Throws: as ``network(_:name:)``.
  package func architecture(_ genome: Genome, name: String? = nil) throws -> Architecture {
    try domain.architecture(try canonical(genome), name: name)
  }

  /// The genome of an architecture; that its classes are those of the space is all that it needs.
  ///
  /// - Throws: `SearchError.notInSpace`.
  package func encode(_ architecture: Architecture) throws(SearchError) -> Genome {
    var architecture = architecture
    architecture.classes = space.classes
    return try domain.encode(architecture)
  }

  /// The canonical form of a genome; limits do not matter.
  ///
  /// - Throws: `SearchError.notInSpace`.
  package func canonical(_ genome: Genome) throws(SearchError) -> Genome {
    let genes = domain.genes
    func fail(_ reason: String) -> SearchError {
      let values = genome.values.map(String.init).joined(separator: ",")
      return .notInSpace(network: values.isEmpty ? "(nothing)" : values, reason: reason)
    }
    guard genome.values.count == genes.count else {
      throw fail(
        "it has \(genome.values.count) genes, the space '\(space.name)' has \(genes.count)")
    }
    for (value, gene) in zip(genome.values, genes) where !(0..<gene.choices).contains(value) {
      throw fail("'\(gene.name)' is \(value); its choices are 0 to \(gene.choices - 1)")
    }
    guard let form = space.canonicalForm(genome) else { throw fail("its channels do not divide") }
    return form
  }

  /// Which part of which tensor each parameter of a genome's network is; counters of batches have none.
  ///
  /// - Throws: as ``network(_:name:)``.
  package func slices(_ genome: Genome) throws -> [SharedSlice] {
    let genome = try canonical(genome)
    let network = try network(genome)
    return try slices(genome, of: network)
  }

  /// The same for a network that is built already.
  package func slices(_ genome: Genome, of network: Network) throws -> [SharedSlice] {
    let (blocks, order) = try blocks(of: genome)
    let parameters = try PlacedParameters(network, of: space.name, blocks: blocks.map(\.block))
    var slices: [SharedSlice] = []
    for (block, own) in zip(blocks, parameters.blocks) {
      let cutter = cutter(block.key, block.family, block.block, inputs: block.inputs, own)
      slices += own.map(cutter.slice)
    }
    return slices
      + parameters.others.map { outerSlice($0, order: order, hasHead: parameters.hasHead) }
  }

  // MARK: Parts

  /// A block of a network with what its family shares.
  private struct ChosenBlock {
    /// What the names of its shared tensors begin with, and those of its family.
    var key: String, family: String
    var block: BlockSpecification
    /// Which channels of the shared network come in, in the order in which they come.
    var inputs: [Int]
  }

  /// The blocks of a genome, and the order of the channels behind them.
  private func blocks(of genome: Genome) throws -> (blocks: [ChosenBlock], order: [Int]) {
    var blocks: [ChosenBlock] = []
    var order = Array(0..<space.stem[genome[0]])
    func add(_ key: String, _ family: String, _ block: BlockSpecification) {
      blocks.append(ChosenBlock(key: key, family: family, block: block, inputs: order))
      order = Array(0..<block.channels)
    }
    for (place, text) in space.first.enumerated() {
      add("first.\(place)", "first.\(place)", try space.block(first: text, channels: order.count))
    }
    for (place, stage) in space.stages.enumerated() {
      add("\(stage.name).first", "\(stage.name).first", try stage.reduction(genome, place))
      let repeats = stage.repeats[genome[NetworkSpace.position(place, .repeats)]]
      for copy in 0..<repeats {
        add("\(stage.name).\(copy)", "\(stage.name).normal", try stage.normal(genome, place))
      }
      let groups = try stage.normal(genome, place).shuffleGroups
      for _ in repeats..<max(stage.repeats.max() ?? 0, repeats) {
        order = Self.shuffled(order, groups: groups)
      }
    }
    if let tail = space.tail {
      let position = space.tailPosition
      add(
        "tail", "tail",
        try tail.block(
          tail.kernel[genome[position]], tail.width[genome[position + 1]],
          tail.expansion[genome[position + 2]]))
    }
    return (blocks, order)
  }

  /// Where each channel would be after a shuffle that was skipped.
  private static func shuffled(_ order: [Int], groups: Int) -> [Int] {
    guard groups > 0, order.count % groups == 0 else { return order }
    let count = order.count / groups
    return order.map { $0 % count * groups + $0 / count }
  }

  private func cutter(
    _ key: String, _ family: String, _ block: BlockSpecification, inputs: [Int],
    _ parameters: [PlacedParameter<BlockPlace>]
  ) -> BlockSlices {
    BlockSlices(
      key: key + suffix(inputs.count), block: block, inputs: inputs,
      sections: sections[family + suffix(inputs.count)], parameters: parameters)
  }

  /// What tells tensors of one width from those of another.
  private func suffix(_ inputs: Int) -> String { widths == .own ? "@\(inputs)" : "" }

  /// The part of a parameter before or behind the blocks.
  private func outerSlice(
    _ parameter: PlacedParameter<OuterPlace>, order: [Int], hasHead: Bool
  ) -> SharedSlice {
    let (shape, ending) = (parameter.specification.shape, parameter.ending)
    let rows = Array(0..<(shape.first ?? 0))
    var slice = SharedSlice(
      parameter: parameter.specification.name, tensor: parameter.specification.name, rows: rows,
      columns: nil, kernel: shape.count == 4 ? shape[2] : nil)
    switch parameter.place {
    case .head:
      slice.columns = order
      slice.tensor = "\(parameter.layer)\(suffix(order.count))\(ending)"
    case .classifier where !hasHead:
      // It reads channels of the last block, not features.
      slice.tensor = "\(parameter.layer)(direct)\(suffix(order.count))\(ending)"
      if shape.count > 1 { slice.columns = order }
    case .classifier:
      if shape.count > 1 { slice.columns = Array(0..<shape[1]) }
    case .stem, .stemNorm, .headNorm: break
    }
    return slice
  }

  // MARK: All tensors

  /// The parameters of a network of one block, which gives them their shapes.
  private func probe(
    _ block: BlockSpecification?, inputs: Int, head: Int = 0
  ) throws -> PlacedParameters {
    let plain = BlockSpecification(.convolution, channels: inputs, kernelSizes: [1])
    var architecture = Architecture(
      name: space.name, stem: .init(channels: inputs, stride: 1), stages: [[block ?? plain]],
      head: .init(channels: head, width: space.headWidth))
    architecture.inputChannels = space.inputChannels
    architecture.inputSize = ImageSize(64)
    architecture.classes = space.classes
    return try PlacedParameters(
      try architecture.network(), of: space.name, blocks: [block ?? plain])
  }

  private mutating func add(_ family: BlockFamily, to list: inout SharedTensorList) throws {
    typealias Probe = (
      inputs: Int, block: BlockSpecification, parameters: [PlacedParameter<BlockPlace>]
    )
    var probes: [Probe] = []
    var slicings: [String: Set<[BranchSlice]>] = [:]
    for (inputs, block) in family.variants {
      let parameters = try probe(block, inputs: inputs).blocks.joined().map(\.self)
      probes.append((inputs, block, parameters))
      if let weight = parameters.expansionWeight {
        slicings[family.name + suffix(inputs), default: []]
          .insert(block.slices(of: weight.shape[0]))
      }
    }
    for (key, all) in slicings {
      guard let sections = ChannelSections(holding: Array(all)) else {
        throw SearchError.space(
          path: space.name,
          reason:
            "'\(family.name)' slices its channels in too many ways to share weights; leave some"
            + " multiplexings or mixtures of kernels out")
      }
      self.sections[key] = sections
    }
    let base = family.name.hasSuffix(".normal") ? String(family.name.dropLast("normal".count)) : nil
    for copy in 0..<family.copies {
      let key = base.map { "\($0)\(copy)" } ?? family.name
      for probe in probes {
        let cutter = cutter(
          key, family.name, probe.block, inputs: Array(0..<probe.inputs), probe.parameters)
        list.add(cutter.slice, of: probe.parameters)
      }
    }
  }

  private func addHeads(to list: inout SharedTensorList) throws {
    let inputs = space.tail?.width ?? space.stages.last?.width ?? space.stem
    for channels in Set(inputs).sorted() {
      for head in space.head {
        let parameters = try probe(nil, inputs: channels, head: head).others
          .filter { $0.place != .stem && $0.place != .stemNorm }
        list.add(
          { outerSlice($0, order: Array(0..<channels), hasHead: head > 0) }, of: parameters)
      }
    }
  }
}
