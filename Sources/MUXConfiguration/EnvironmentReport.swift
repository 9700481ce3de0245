// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The version of this package.
package enum MUXNetVersion {
  /// The version, by semantic versioning.
  package static let current = "0.1.0"
}

/// The machine and the software under a run, for bug reports and for the folders of runs.
package struct EnvironmentReport: Codable, Hashable, Sendable {
  /// The version of this package.
  package var version: String
  /// The oldest Swift compiler that this build is known to come from.
  package var swift: String
  /// Whether this is an optimised build.
  package var isOptimized: Bool
  /// The operating system and its version.
  package var system: String
  /// The processor's architecture.
  package var architecture: String
  /// The processor's name, where the system tells it.
  package var processor: String?
  /// The variant of the runtime's kernels for each precision, where the reporter knows it.
  package var kernels: [String: String]?
  /// Processor cores that the process may use.
  package var cores: Int
  /// The machine's memory in bytes.
  package var memory: UInt64
  /// The tensor library's version, nil without one.
  package var libtorch: String?
  /// The devices that tensors can live on.
  package var devices: [String]
  /// The environment variables that change what this package does.
  package var variables: [String: String]

  /// Looks at this process; the tensor library reports for itself.
  package init(libtorch: String? = nil, devices: [String] = ["cpu"]) {
    version = MUXNetVersion.current
    #if compiler(>=6.4)
      swift = "6.4 or newer"
    #elseif compiler(>=6.3)
      swift = "6.3"
    #else
      swift = "older than 6.3"
    #endif
    #if DEBUG
      isOptimized = false
    #else
      isOptimized = true
    #endif
    #if arch(x86_64)
      architecture = "x86_64"
    #elseif arch(arm64)
      architecture = "arm64"
    #else
      architecture = "other"
    #endif
    let process = ProcessInfo.processInfo
    system = process.operatingSystemVersionString
    processor = Self.processorName()
    cores = process.activeProcessorCount
    memory = process.physicalMemory
    self.libtorch = libtorch
    self.devices = devices
    variables = process.environment.filter { name, _ in
      ["MUXNET_", "OMP_", "MKL_", "CUDA_"].contains { name.hasPrefix($0) }
        || ["LIBTORCH", "NO_COLOR"].contains(name)
    }
    for (name, value) in variables where Self.mayHoldSecret(name, value) {
      variables[name] = "set, but not shown: it may hold a password"
    }
  }

  /// Whether a variable may hold a password: these reports are sent to others and kept with runs.
  private static func mayHoldSecret(_ name: String, _ value: String) -> Bool {
    let words = ["STORAGE", "PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL"]
    return words.contains { name.contains($0) } || value.contains("@") || value.contains("://")
  }

  private static func processorName() -> String? {
    // Linux; elsewhere the file does not exist and the name stays unknown.
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else {
      return nil
    }
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    return line?.split(separator: ":", maxSplits: 1).last.map {
      $0.trimmingCharacters(in: .whitespaces)
    }
  }
}
