// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// The passes of the plan compiler, in order.
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
  /// The structures of the kernels, with numbers in place of values.
  case emit
}

/// A plan as text, without weights and without running it: what each pass makes of a network.
package struct PlanListing {
  private let network: Network
  private let compilation: Compilation
  /// The packed weights of each step, as the packer asks for them.
  private let weights: [String?]
  /// The structure of each step.
  private let emitted: [String]
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
    emitted = try Self.emitted(compilation.program)
    heading = "# \(network.name), \(precision.rawValue), \(lanes) lanes"
  }

  /// The layers whose products a plan has in one precision, group by group: a spatial convolution goes with
  /// what expands before it and projects behind it.
  package var layerGroups: [[String]] { FormatChoice.layers(of: compilation.lowered) }

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
    case .emit: lines = emitted.joined(separator: "\n")
    }
    return "\(heading), after \(pass.rawValue)\n\(lines)"
  }

  private static func emitted(_ program: Program) throws -> [String] {
    let packed = try Packing.pack(
      program, weights: .absent, source: .listing(), calibration: nil)
    // The structures point into it.
    let memory = PlanMemory(isGuarded: false)
    return withExtendedLifetime(memory) {
      Emission.emit(
        program, Placement(program), packed.steps, quantizations: packed.quantizations,
        memory: memory
      ).map(EmittedText.line)
    }
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
