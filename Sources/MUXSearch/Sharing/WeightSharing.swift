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
    builder.add(stemSlices(channels: space.stem.max() ?? 1), of: try stemParameters())
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
    var byBlock: [Int: [ParameterSpecification]] = [:]
    var others: [ParameterSpecification] = []
    for parameter in network.parameters where parameter.role != .batchCount {
      let parts = parameter.name.split(separator: ".", maxSplits: 3)
      if parts.count == 4, parts[0] == "blocks", let index = Int(parts[1]) {
        var own = parameter
        own.name = String(parts[3])
        byBlock[index, default: []].append(own)
      } else {
        others.append(parameter)
      }
    }
    var slices: [SharedSlice] = []
    var order = Array(0..<space.stem[genome[0]])
    var index = 0
    func add(_ key: String, _ family: String, _ block: BlockSpecification) {
      let parameters = byBlock[index] ?? []
      let cutter = cutter(key, family, block, inputs: order, parameters)
      slices += parameters.map { parameter in
        var slice = cutter.slice(parameter)
        slice.parameter = "blocks.\(index).0.\(parameter.name)"
        return slice
      }
      order = Array(0..<block.channels)
      index += 1
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
    return slices + others.map { outerSlice($0, order: order, hasHead: network.hasSharedHead) }
  }

  // MARK: Parts

  /// Where each channel would be after a shuffle that was skipped.
  private static func shuffled(_ order: [Int], groups: Int) -> [Int] {
    guard groups > 0, order.count % groups == 0 else { return order }
    let count = order.count / groups
    return order.map { $0 % count * groups + $0 / count }
  }

  private func cutter(
    _ key: String, _ family: String, _ block: BlockSpecification, inputs: [Int],
    _ parameters: [ParameterSpecification]
  ) -> BlockSlices {
    BlockSlices(
      key: key + suffix(inputs.count), block: block, inputs: inputs,
      sections: sections[family + suffix(inputs.count)], parameters: parameters)
  }

  /// What tells tensors of one width from those of another.
  private func suffix(_ inputs: Int) -> String { widths == .own ? "@\(inputs)" : "" }

  /// The part of a parameter before or behind the blocks.
  private func outerSlice(
    _ parameter: ParameterSpecification, order: [Int], hasHead: Bool
  ) -> SharedSlice {
    let rows = Array(0..<(parameter.shape.first ?? 0))
    let kernel = parameter.shape.count == 4 ? parameter.shape[2] : nil
    var slice = SharedSlice(
      parameter: parameter.name, tensor: parameter.name, rows: rows, columns: nil, kernel: kernel)
    let layer = parameter.name.split(separator: ".").first ?? ""
    switch layer {
    case "conv_head":
      slice.columns = order
      slice.tensor = "conv_head\(suffix(order.count)).weight"
    case "classifier" where !hasHead:
      // It reads channels of the last block, not features.
      slice.tensor = "classifier(direct)\(suffix(order.count)).\(parameter.role.suffix)"
      if parameter.shape.count > 1 { slice.columns = order }
    case "classifier" where parameter.shape.count > 1:
      slice.columns = Array(0..<parameter.shape[1])
    default: break
    }
    return slice
  }

  private func stemSlices(channels: Int) -> (ParameterSpecification) -> SharedSlice {
    { outerSlice($0, order: [], hasHead: true) }
  }

  // MARK: All tensors

  /// A network of one block, which gives the block's parameters their shapes.
  private func probe(
    _ block: BlockSpecification?, inputs: Int, head: Int = 0
  ) throws(NetworkError) -> [ParameterSpecification] {
    let plain = BlockSpecification(.convolution, channels: inputs, kernelSizes: [1])
    var architecture = Architecture(
      name: space.name, stem: .init(channels: inputs, stride: 1), stages: [[block ?? plain]],
      head: .init(channels: head, width: space.headWidth))
    architecture.inputChannels = space.inputChannels
    architecture.inputSize = ImageSize(64)
    architecture.classes = space.classes
    return try architecture.network().parameters.filter { $0.role != .batchCount }
  }

  private func stemParameters() throws(NetworkError) -> [ParameterSpecification] {
    try probe(nil, inputs: space.stem.max() ?? 1)
      .filter { ["conv_stem", "bn1"].contains($0.name.split(separator: ".").first) }
  }

  private mutating func add(_ family: BlockFamily, to list: inout SharedTensorList) throws {
    var probes: [(inputs: Int, block: BlockSpecification, parameters: [ParameterSpecification])] =
      []
    var slicings: [String: Set<[BranchSlice]>] = [:]
    for (inputs, block) in family.variants {
      let parameters = try probe(block, inputs: inputs).compactMap { parameter in
        guard parameter.name.hasPrefix("blocks.0.0.") else { return ParameterSpecification?.none }
        var own = parameter
        own.name = String(parameter.name.dropFirst("blocks.0.0.".count))
        return own
      }
      probes.append((inputs, block, parameters))
      if block.expands, block.expansionGroups == 1,
        let weight = parameters.first(where: { $0.name == "conv_pw.weight" })
      {
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

  private func addHeads(to list: inout SharedTensorList) throws(NetworkError) {
    let inputs = space.tail?.width ?? space.stages.last?.width ?? space.stem
    let outer = ["conv_head", "bn2", "classifier"]
    for channels in Set(inputs).sorted() {
      for head in space.head {
        let parameters = try probe(nil, inputs: channels, head: head)
          .filter { outer.contains($0.name.split(separator: ".").first.map(String.init) ?? "") }
        list.add(
          { outerSlice($0, order: Array(0..<channels), hasHead: head > 0) }, of: parameters)
      }
    }
  }
}

extension Network {
  /// Whether a 1×1 convolution stands between the blocks and the classifier.
  fileprivate var hasSharedHead: Bool { index(ofNode: "conv_head") != nil }
}

/// Shared tensors, each as large as the largest part of it.
private struct SharedTensorList {
  private(set) var tensors: [SharedTensor] = []
  private var places: [String: Int] = [:]

  mutating func add(
    _ slice: (ParameterSpecification) -> SharedSlice, of parameters: [ParameterSpecification]
  ) {
    for parameter in parameters {
      let part = slice(parameter)
      var shape = parameter.shape
      if !shape.isEmpty { shape[0] = (part.rows.max() ?? 0) + 1 }
      if let columns = part.columns { shape[1] = (columns.max() ?? 0) + 1 }
      if let place = places[part.tensor] {
        shape = zip(shape, tensors[place].shape).map(max)
      } else {
        places[part.tensor] = tensors.count
        tensors.append(
          SharedTensor(name: part.tensor, role: parameter.role, shape: shape, groups: 1))
      }
      let place = places[part.tensor] ?? 0
      tensors[place].shape = shape
      // What is not dense has one group for each of its rows' groups.
      if parameter.groups > 1, shape.count == 4 {
        tensors[place].groups = max(1, shape[0] / max(1, parameter.shape[0] / parameter.groups))
      }
    }
  }
}
