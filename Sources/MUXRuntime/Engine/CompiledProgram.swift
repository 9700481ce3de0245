// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
import MUXImages
import MUXNetworks
import MUXWeights

extension InferencePlan {
  /// The memory for an image that a network may ask for on its own, whatever its weights.
  static let memoryAllowance = 1 << 30
  /// The bytes that it may ask for beside, for each byte of its weights.
  static let memoryPerWeightByte = 64
}

/// A network's program, its places in memory, and its steps as the kernels take them.
struct CompiledProgram {
  let program: Program
  let placement: Placement
  let memory: PlanMemory
  let steps: [mux_step]

  init(
    _ network: Network, _ weights: LayerWeights, _ source: PackedWeightSource, size: ImageSize,
    target: PlanTarget, calibration: Calibration?, isGuarded: Bool
  ) throws {
    program = try Compilation(network, inputSize: size, target: target).program
    let packed = try Packing.pack(
      program, weights: weights, source: source, calibration: calibration)
    try PackingChecks(
      network: network, weights: weights, source: source, precision: target.precision
    ).check()
    if let misfit = source.misfit { throw PackedMisfit(place: "the layer '\(misfit)'") }
    if !source.isExhausted { throw PackedMisfit(place: "its last layer") }
    placement = Placement(program, isGuarded: isGuarded)
    guard placement.size < Int(Int32.max) else {
      throw RuntimeError.unsupported(
        layer: Network.inputName, reason: "images of \(size) need too much memory")
    }
    try Self.checkProportion(network, size: size, memory: placement.size * 4)
    memory = PlanMemory(isGuarded: isGuarded)
    steps = Emission.emit(
      program, placement, packed.steps, quantizations: packed.quantizations, memory: memory)
  }

  /// The floats that a thread needs beside the arena.
  func scratchSize(_ set: InstructionSet, size: ImageSize) throws(RuntimeError) -> Int {
    let floats = steps.reduce(1) { most, step in
      withUnsafePointer(to: step) { max(most, mux_step_scratch(set.kernels, $0)) }
    }
    // A file's claims about windows may ask for more than there is.
    guard floats < Int(Int32.max) else {
      throw .unsupported(
        layer: Network.inputName, reason: "its windows over images of \(size) need too much memory")
    }
    return floats
  }

  /// A file's claim about the size of its images must not make a few bytes take all memory: at that
  /// size the tensors of an image take at most `memoryAllowance` and `memoryPerWeightByte` times the
  /// weights. Callers that ask for another size get it.
  private static func checkProportion(
    _ network: Network, size: ImageSize, memory: Int
  ) throws(RuntimeError) {
    guard size == network.inputSize, memory > InferencePlan.memoryAllowance else { return }
    let weights = network.parameters.reduce(0) { $0 + $1.count } * 4
    let most = InferencePlan.memoryAllowance + InferencePlan.memoryPerWeightByte * weights
    guard memory > most else { return }
    throw .unsupported(
      layer: Network.inputName,
      reason: "images of the network's own size \(size) need \(memory >> 20) MB of memory, out of"
        + " proportion to its weights of \(weights >> 10) kB; give a smaller size")
  }
}

/// Packed weights that are not those that the compiler asks for.
struct PackedMisfit: Error {
  var place: String
}
