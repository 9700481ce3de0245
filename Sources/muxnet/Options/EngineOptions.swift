// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXEvaluation
import MUXRuntime

#if TORCH
  import MUXTensor
  import MUXTraining
#endif

/// What computes.
enum Engine: String, CaseIterable, ExpressibleByArgument {
  /// The inference runtime of this package, on the processor.
  case runtime
  /// libtorch, on any device.
  case torch
}

/// What computes, and with what.
struct EngineOptions: ParsableArguments {
  @Option(help: "What computes: runtime, or torch (the usual one for other devices than cpu).")
  var engine: Engine?

  @Option(help: "The device: cpu, cuda, cuda:1 or mps.")
  var device = "cpu"

  @Option(help: "Threads that compute; 0 takes one per core.")
  var threads = 0

  func validate() throws {
    if threads < 0 { throw ValidationError("--threads must not be negative, not \(threads)") }
    if engine == .runtime, device != "cpu" {
      throw ValidationError(
        "the runtime computes on the processor; leave --device out, or use --engine torch")
    }
  }

  /// The engine that is meant: the named one, else the usual one, unless another device needs
  /// libtorch.
  func chosen(usual: Engine = .runtime) -> Engine { engine ?? (device == "cpu" ? usual : .torch) }

  /// The threads of the runtime; nil for one per core.
  var runtimeThreads: Int? { threads > 0 ? threads : nil }

  #if TORCH
    /// Checks the device and sets the threads of libtorch.
    func prepareTorch() throws -> Device {
      try TorchRuntime.check()
      let chosen = try Device(name: device)
      try chosen.requireAvailable()
      if threads > 0 { try TorchRuntime.setThreads(threads) }
      return chosen
    }
  #endif

  /// What a build without libtorch says to whom asks for it.
  static var torchIsAbsent: CommandError {
    CommandError(
      "this build has no libtorch; use --engine runtime, or build without MUXNET_TORCH=0")
  }

  /// Trained weights in the chosen engine.
  func classifier(
    _ weights: TrainedWeights, precision: ArithmeticPrecision = .float32
  ) throws -> any Classifier {
    try weights.requireClassifier()
    switch chosen() {
    case .runtime:
      guard precision == .float32 else {
        throw CommandError("the runtime computes in float32; use --engine torch for others")
      }
      return try weights.runtimeClassifier(threads: runtimeThreads)
    case .torch:
      #if TORCH
        let device = try prepareTorch()
        return TorchClassifier(
          try TrainedModel(weights, device: device).model, precision: precision)
      #else
        throw Self.torchIsAbsent
      #endif
    }
  }
}
