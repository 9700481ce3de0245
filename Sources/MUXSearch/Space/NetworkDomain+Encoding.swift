// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks

extension NetworkDomain {
  /// The canonical genome of an architecture that is a point of the space. How blocks are grouped
  /// into stages, and the name, do not matter.
  ///
  /// - Throws: ``SearchError/notInSpace(network:reason:)`` with the first thing that does not fit.
  public func encode(_ architecture: Architecture) throws(SearchError) -> Genome {
    var reader = BlockReader(architecture)
    var values = [try reader.choice(architecture.stem.channels, in: space.stem, "stem")]
    for _ in space.first { _ = try reader.next("first") }
    for stage in space.stages { values += try reader.stage(stage) }
    if let tail = space.tail {
      let block = try reader.next("tail")
      values += [
        try reader.choice(block.kernelSizes[0], in: tail.kernel, "tail.kernel"),
        try reader.choice(block.channels, in: tail.width, "tail.width"),
        try reader.choice(block.expansion, in: tail.expansion, "tail.expansion"),
      ]
    }
    values.append(try reader.choice(architecture.head.channels, in: space.head, "head"))
    if let rest = reader.peek {
      throw .notInSpace(network: architecture.name, reason: "block '\(rest)' is left over")
    }
    guard let genome = space.canonicalForm(Genome(values)) else {
      throw .notInSpace(network: architecture.name, reason: "its channels do not divide")
    }
    try check(genome, against: architecture)
    return genome
  }

  /// Builds the genome again and compares: what no gene stands for must be equal too.
  private func check(_ genome: Genome, against original: Architecture) throws(SearchError) {
    func fail(_ reason: String) -> SearchError {
      .notInSpace(network: original.name, reason: reason)
    }
    let rebuilt: Architecture
    do {
      rebuilt = try self.architecture(genome, name: original.name)
    } catch {
      throw fail("\(error)")
    }
    for (own, other) in zip(rebuilt.singleBlocks, original.singleBlocks) where own != other {
      throw fail("block '\(other)' would have to be '\(own)'")
    }
    var left = rebuilt
    var right = original
    left.stages = []
    right.stages = []
    guard left == right else {
      throw fail("stem, head, image size, classes, rates or norms differ from the space's")
    }
  }
}

extension Architecture {
  /// The blocks with repeats written out.
  var singleBlocks: [BlockSpecification] {
    stages.joined().flatMap { block in
      var single = block
      single.repeats = 1
      var later = single
      later.stride = 1
      return (0..<block.repeats).map { $0 == 0 ? single : later }
    }
  }
}

/// Takes an architecture's blocks one by one.
private struct BlockReader {
  private let name: String
  private var blocks: ArraySlice<BlockSpecification>

  init(_ architecture: Architecture) {
    name = architecture.name
    blocks = architecture.singleBlocks[...]
  }

  var peek: BlockSpecification? { blocks.first }

  mutating func next(_ place: String) throws(SearchError) -> BlockSpecification {
    guard let block = blocks.popFirst() else {
      throw .notInSpace(network: name, reason: "the block of '\(place)' is missing")
    }
    return block
  }

  func choice<Value: Equatable>(
    _ value: Value, in choices: [Value], _ gene: String
  ) throws(SearchError) -> Int {
    guard let index = choices.firstIndex(of: value) else {
      throw .notInSpace(network: name, reason: "'\(gene)' is \(value), not one of \(choices)")
    }
    return index
  }

  /// The genes of a stage, in the order of ``NetworkSpace/StageGene``.
  mutating func stage(_ stage: NetworkSpace.Stage) throws(SearchError) -> [Int] {
    let reduction = try next(stage.name)
    let kernels = reduction.kernelSizes.map(String.init).joined(separator: ".")
    var values = [
      try choice(reduction.channels, in: stage.width, "\(stage.name).width"),
      try choice(kernels, in: stage.reductionKernels, "\(stage.name).reductionKernels"),
      try choice(
        reduction.expansion, in: stage.reductionExpansion, "\(stage.name).reductionExpansion"),
    ]
    let normal = blocks.first.flatMap { $0.kind == .mux ? $0 : nil }
    let repeats = blocks.prefix { $0 == normal }.count
    blocks = blocks.dropFirst(repeats)
    values.append(try choice(repeats, in: stage.repeats, "\(stage.name).repeats"))
    guard let normal else { return values + [0, 0, 0, 0] }
    let scales = normal.scales.map { String($0.rawValue) }.joined(separator: ".")
    return values + [
      try choice(normal.kernelSizes[0], in: stage.kernel, "\(stage.name).kernel"),
      try choice(normal.expansion, in: stage.expansion, "\(stage.name).expansion"),
      try choice(normal.leaveOutRatio, in: stage.leaveOut, "\(stage.name).leaveOut"),
      try choice(
        scales.isEmpty ? "none" : scales, in: stage.multiplexing, "\(stage.name).multiplexing"),
    ]
  }
}
