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
  @Option(help: "The engine: runtime, or torch (needed for devices other than cpu).")
  var engine: Engine?

  @Option(help: "The device: cpu, cuda, cuda:1 or mps.")
  var device = "cpu"

  @Option(help: "Threads that compute; 0 takes one per core.")
  var threads = 0

  @Option(
    help: """
      The precision of the operands: float32, bfloat16, or int8 for a packed file written by muxnet \
      quantize (default: a packed file's own, else float32).
      """)
  var precision: Precision?

  func validate() throws {
    if threads < 0 { throw ValidationError("--threads must not be negative, not \(threads)") }
    if engine == .runtime, device != "cpu" {
      throw ValidationError(
        "the runtime computes on the processor; leave --device out, or use --engine torch")
    }
    if precision == .int8, chosen() == .torch {
      throw ValidationError("libtorch does not compute in int8 here; use --engine runtime")
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

  /// What to say of a precision that this processor has no instructions for.
  static func slowness(_ precision: Precision) -> String {
    "this processor has no instructions for \(precision.rawValue), which is slower than float32 then;"
      + " use --precision float32, or a packed file of muxnet convert"
  }

  /// The error of a build without libtorch that is asked for it.
  static var torchIsAbsent: CommandError {
    CommandError(
      "this build has no libtorch; use --engine runtime, or build without MUXNET_TORCH=0")
  }

  /// Trained weights in the chosen engine.
  ///
  /// - Parameter configured: The precision of the run's settings, for weights that are not packed;
  ///   the option comes first.
  func model(
    _ weights: TrainedWeights, precision configured: ArithmeticPrecision = .float32
  ) throws -> any VisionModel {
    _ = try weights.head()
    switch chosen() {
    case .runtime:
      var wanted = precision
      if wanted == nil, weights.packed == nil {
        guard let own = configured.inRuntime else {
          throw CommandError(
            "the runtime does not compute in \(configured.rawValue), which the settings ask for;"
              + " choose --precision float32 or bfloat16, or use --engine torch")
        }
        wanted = own
      }
      let model = try weights.runtimeModel(threads: runtimeThreads, precision: wanted)
      // Only of what does run: what is refused is one line.
      let used = wanted ?? weights.packed?.precision ?? .float32
      if !used.isAccelerated { Console.warning(Self.slowness(used)) }
      return model
    case .torch:
      #if TORCH
        let device = try prepareTorch()
        let wanted = precision.flatMap { ArithmeticPrecision($0) } ?? configured
        let trained = try TrainedModel(weights, device: device)
        if let text = wanted.slowness(on: device) { Console.warning(text) }
        return TorchModel(trained.model, precision: wanted)
      #else
        throw Self.torchIsAbsent
      #endif
    }
  }
}
