// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// The passes of the plan compiler that leave something to read, in order. (The last one, which emits the
/// structures of the kernels, follows.)
package enum PlanPass: String, CaseIterable, Sendable {
  /// Which nodes become one or two steps.
  case match
  /// Steps in single precision, with planes between them.
  case lower
  /// The precision of products, and how values lie; steps that convert.
  case formats
  /// The weights that each step takes, in the order in which a packed file has them.
  case pack
  /// Where values lie in an engine's arena.
  case place
}

/// A plan as text, without weights and without running it: what each pass makes of a network.
package struct PlanListing {
  private let network: Network
  private let compilation: Compilation
  /// The packed weights of each step, as the packer asks for them.
  private let weights: [String?]
  private let heading: String

  /// Compiles a network.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - inputSize: The size of the images; nil takes the network's own.
  ///   - precision: The precision of products. The ranges of 8 bits are named, not needed.
  ///   - lanes: Channels side by side in a vector.
  ///   - isObserving: Whether the plan measures the ranges that a calibration holds.
  /// - Throws: `NetworkError` if the images are too small, ``RuntimeError`` if the network is too large.
  package init(
    _ network: Network, inputSize: ImageSize? = nil, precision: Precision = .float32, lanes: Int,
    isObserving: Bool = false
  ) throws {
    self.network = network
    compilation = try Compilation(
      network, inputSize: inputSize ?? network.inputSize,
      target: PlanTarget(lanes: lanes, precision: precision, isObserving: isObserving))
    weights = try Self.weights(of: compilation.program)
    heading = "# \(network.name), \(precision.rawValue), \(lanes) lanes"
  }

  /// What there is after a pass: a line for each match or step.
  package func text(after pass: PlanPass = .place) -> String {
    let program = compilation.program
    let lines: String
    switch pass {
    case .match: lines = compilation.matches.map { $0.text(network) }.joined(separator: "\n")
    case .lower: lines = compilation.lowered.text()
    case .formats: lines = program.text()
    case .pack: lines = program.text(note: { weights[$0] })
    case .place:
      let placement = Placement(program)
      let text = program.text(
        place: { id in program[id].residence == .own ? "@\(placement[id])" : nil },
        note: { weights[$0] })
      lines = text + "\narena \(placement.size * 4) bytes"
    }
    return "\(heading), after \(pass.rawValue)\n\(lines)"
  }

  private static func weights(of program: Program) throws -> [String?] {
    try program.steps.map { step in
      let source = PackedWeightSource.listing()
      var single = Program(name: program.name, target: program.target)
      single.values = program.values
      single.steps = [step]
      _ = try Packing.pack(single, weights: .absent, source: source, calibration: nil)
      if source.listed.isEmpty { return nil }
      return "[" + source.listed.map { "\($0.use) ×\($0.count)" }.joined(separator: "; ") + "]"
    }
  }
}
