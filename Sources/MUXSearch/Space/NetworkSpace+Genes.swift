// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// The genes of a space, in order: stem; for each stage the eight of ``StageGene``; tail (kernel,
/// width, expansion); head.
extension NetworkSpace {
  /// The decisions of a stage, in order.
  enum StageGene: Int, CaseIterable {
    case width, reductionKernels, reductionExpansion, repeats, kernel, expansion, leaveOut
    case multiplexing
  }

  /// The decisions.
  var genes: [Gene] {
    var genes = [Gene("stem", choices: stem.count)]
    for stage in stages {
      genes += StageGene.allCases.map { gene in
        Gene(
          "\(stage.name).\(gene)", choices: stage.count(gene),
          isOrdered: gene != .reductionKernels && gene != .multiplexing)
      }
    }
    if let tail {
      genes += [
        Gene("tail.kernel", choices: tail.kernel.count),
        Gene("tail.width", choices: tail.width.count),
        Gene("tail.expansion", choices: tail.expansion.count),
      ]
    }
    return genes + [Gene("head", choices: head.count)]
  }

  static func position(_ stage: Int, _ gene: StageGene) -> Int {
    1 + stage * StageGene.allCases.count + gene.rawValue
  }

  /// The position of the tail's first gene, or of the head.
  var tailPosition: Int { 1 + stages.count * StageGene.allCases.count }

  /// What is wrong with the space, in words.
  package var defect: String? {
    if stages.isEmpty { return "there are no stages" }
    if let excess { return excess }
    for gene in genes where gene.choices == 0 {
      return "the space is empty: '\(gene.name)' has no choices"
    }
    if let list = repeatedChoice { return "'\(list)' has the same choice twice" }
    if [constraints.maximumParameters, constraints.maximumMultiplyAdds].contains(where: {
      $0.map { $0 < 1 } ?? false
    }) || constraints.maximumLatency.map({ !($0 > 0 && $0.isFinite) }) ?? false {
      return "limits must be above 0"
    }
    if let twice = Dictionary(grouping: stages.map(\.name), by: { $0 }).first(where: {
      $0.value.count > 1
    }) {
      return "two stages are called '\(twice.key)'"
    }
    for (place, text) in first.enumerated() where (try? block(first: text, channels: 8)) == nil {
      return "first[\(place)]: '\(text)' is not a block string without channels"
    }
    for stage in stages {
      if let defect = stage.defect { return "stage '\(stage.name)': \(defect)" }
    }
    if let tail, tail.kernel.contains(where: { $0 % 2 == 0 }) {
      return "tail: kernel sizes must be odd"
    }
    let smallest = Genome(genes.map { _ in 0 })
    if canonicalForm(smallest) == nil {
      return "no choice of expansion, leave-out and multiplexing gives channels that divide"
    }
    return nil
  }

  /// A list that has a choice twice, which would be two genomes for one network.
  private var repeatedChoice: String? {
    func repeats(_ list: [some Hashable]) -> Bool { Set(list).count < list.count }
    if repeats(stem) { return "stem" }
    if repeats(head) { return "head" }
    for stage in stages {
      if let list = stage.repeatedChoice { return "\(stage.name).\(list)" }
    }
    guard let tail else { return nil }
    if repeats(tail.kernel) { return "tail.kernel" }
    if repeats(tail.width) { return "tail.width" }
    return repeats(tail.expansion) ? "tail.expansion" : nil
  }

  func block(first text: String, channels: Int) throws(NetworkError) -> BlockSpecification {
    try BlockSpecification("\(text)_c\(channels)")
  }

  /// The genome in canonical form: genes of normal blocks that are not there stand at 0, and where
  /// channels would not divide, the nearest expansion, leave-out or multiplexing takes the place of
  /// the given one. Nil where none does. Limits are not looked at.
  func canonicalForm(_ genome: Genome) -> Genome? {
    var result = genome
    for (index, stage) in stages.enumerated() {
      func place(_ gene: StageGene) -> Int { Self.position(index, gene) }
      if stage.repeats[result[place(.repeats)]] == 0 {
        for gene in [StageGene.kernel, .expansion, .leaveOut, .multiplexing] {
          result[place(gene)] = 0
        }
        continue
      }
      let wish = StageChoice(
        expansion: result[place(.expansion)], leaveOut: result[place(.leaveOut)],
        multiplexing: result[place(.multiplexing)])
      guard let found = stage.nearestSound(to: wish, width: stage.width[result[place(.width)]])
      else { return nil }
      result[place(.expansion)] = found.expansion
      result[place(.leaveOut)] = found.leaveOut
      result[place(.multiplexing)] = found.multiplexing
    }
    return result
  }
}

/// The three choices of a stage that decide whether channels divide.
struct StageChoice: Hashable {
  var expansion: Int
  var leaveOut: Int
  var multiplexing: Int
}

extension NetworkSpace.Stage {
  func count(_ gene: NetworkSpace.StageGene) -> Int {
    switch gene {
    case .width: width.count
    case .reductionKernels: reductionKernels.count
    case .reductionExpansion: reductionExpansion.count
    case .repeats: repeats.count
    case .kernel: kernel.count
    case .expansion: expansion.count
    case .leaveOut: leaveOut.count
    case .multiplexing: multiplexing.count
    }
  }

  /// The block that begins the stage.
  func reduction(_ genome: Genome, _ index: Int) throws(NetworkError) -> BlockSpecification {
    func choice(_ gene: NetworkSpace.StageGene) -> Int {
      genome[NetworkSpace.position(index, gene)]
    }
    var block = try BlockSpecification(
      "ir_k\(reductionKernels[choice(.reductionKernels)])_c\(width[choice(.width)])_n\(activation)")
    block.stride = stride
    block.expansion = reductionExpansion[choice(.reductionExpansion)]
    block.squeezeRatio = squeeze
    return block
  }

  /// The block that the stage repeats.
  func normal(_ genome: Genome, _ index: Int) throws(NetworkError) -> BlockSpecification {
    func choice(_ gene: NetworkSpace.StageGene) -> Int {
      genome[NetworkSpace.position(index, gene)]
    }
    let scales = multiplexing[choice(.multiplexing)]
    var block = try BlockSpecification(
      "mux_k\(kernel[choice(.kernel)])_c\(width[choice(.width)])_n\(activation)"
        + (scales == "none" ? "_gw\(groupWidth)" : "_sc\(scales)"))
    block.expansion = expansion[choice(.expansion)]
    block.leaveOutRatio = leaveOut[choice(.leaveOut)]
    block.squeezeRatio = squeeze
    return block
  }

  /// The sound choice that changes least: expansion first, then leave-out, then multiplexing.
  func nearestSound(to wish: StageChoice, width: Int) -> StageChoice? {
    if isSound(wish, width: width) { return wish }
    var best: (cost: Int, choice: StageChoice)?
    for mode in multiplexing.indices {
      for left in leaveOut.indices {
        for ratio in expansion.indices {
          let choice = StageChoice(expansion: ratio, leaveOut: left, multiplexing: mode)
          let cost =
            2 * abs(ratio - wish.expansion) + 3 * abs(left - wish.leaveOut)
            + (mode == wish.multiplexing ? 0 : 100)
          if cost < best?.cost ?? .max, isSound(choice, width: width) { best = (cost, choice) }
        }
      }
    }
    return best?.choice
  }

  /// Whether the channels of the normal blocks divide into groups, and their slices into windows.
  private func isSound(_ choice: StageChoice, width: Int) -> Bool {
    guard width % 2 == 0 else { return false }  // the shuffle has two groups
    let processed = Int(Double(width) * (1 - leaveOut[choice.leaveOut]))
    let middle = Int(Double(processed) * expansion[choice.expansion])
    guard processed > 0, middle > 0 else { return false }
    let mode = multiplexing[choice.multiplexing]
    if mode == "none" { return middle % groupWidth == 0 }
    let scales = mode.split(separator: ".")
    let share = middle / scales.count
    guard share > 0 else { return false }
    for (index, scale) in scales.enumerated() where scale == "1" {
      let slice = index == 0 ? middle - share * (scales.count - 1) : share
      if slice % 4 != 0 { return false }
    }
    return true
  }

  fileprivate var repeatedChoice: String? {
    func repeats(_ list: [some Hashable]) -> Bool { Set(list).count < list.count }
    let isRepeated: [(NetworkSpace.StageGene, Bool)] = [
      (.width, repeats(width)), (.reductionKernels, repeats(reductionKernels)),
      (.reductionExpansion, repeats(reductionExpansion)), (.repeats, repeats(self.repeats)),
      (.kernel, repeats(kernel)), (.expansion, repeats(expansion)),
      (.leaveOut, repeats(leaveOut)), (.multiplexing, repeats(multiplexing)),
    ]
    return isRepeated.first { $0.1 }.map { "\($0.0)" }
  }

  fileprivate var defect: String? {
    if width.contains(where: { $0 % 2 == 1 }) { return "widths must be even" }
    if kernel.contains(where: { $0 % 2 == 0 }) { return "kernel sizes must be odd" }
    if (try? BlockSpecification("ir_c8_n\(activation)")) == nil {
      return "unknown activation '\(activation)'; use re, r6, sw or hs"
    }
    for kernels in reductionKernels where (try? BlockSpecification("ir_k\(kernels)_c8")) == nil {
      return "'\(kernels)' are not odd kernel sizes joined by dots"
    }
    for scales in multiplexing
    where scales != "none" && (try? BlockSpecification("mux_c8_sc\(scales)")) == nil {
      return "'\(scales)' is neither none nor scales such as -1.0.0.1"
    }
    return nil
  }
}

extension NetworkSpace.Tail {
  /// The block of some choices.
  func block(
    _ kernel: Int, _ width: Int, _ expansion: Double
  ) throws(NetworkError) -> BlockSpecification {
    var block = try BlockSpecification("ir_k\(kernel)_c\(width)_n\(activation)")
    block.expansion = expansion
    block.squeezeRatio = squeeze
    return block
  }
}
