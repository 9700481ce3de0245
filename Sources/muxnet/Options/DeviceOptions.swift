// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXTensor

  /// Where tensors are computed.
  struct DeviceOptions: ParsableArguments {
    @Option(help: "The device: cpu, cuda, cuda:1 or mps.")
    var device = "cpu"

    @Option(help: "Threads for one operation; 0 takes one per core.")
    var threads = 0

    func validate() throws {
      if threads < 0 { throw ValidationError("--threads must not be negative, not \(threads)") }
    }

    /// Checks the device and sets the threads.
    func prepare() throws -> Device {
      try TorchRuntime.check()
      let chosen = try Device(name: device)
      try chosen.requireAvailable()
      if threads > 0 { try TorchRuntime.setThreads(threads) }
      return chosen
    }
  }
#endif
