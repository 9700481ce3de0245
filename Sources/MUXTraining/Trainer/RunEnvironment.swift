// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXTensor

/// The circumstances of one part of a run: what somebody would need to repeat it.
struct RunEnvironment: Codable {
  var started: String
  var firstStep: Int
  var command: [String]
  var system: String
  var processor: String
  var cores: Int
  var threads: Int
  var device: String
  var swift: String
  var libtorch: String
  var commit: String?
  var seed: UInt64
  /// Epochs of the whole run, which may be prolonged; nil where an older program wrote the entry.
  var epochs: Int?
  /// The processes that trained together; nil for one alone.
  var processes: Int?
  /// What the launcher calls all attempts of this launch, if there is one.
  var launch: String?

  /// Adds the present circumstances to a list in a JSON file, one entry for each time the run was
  /// started or resumed.
  static func append(
    _ configuration: TrainingConfiguration, group: ProcessGroup, firstStep: Int, to path: String
  ) throws {
    var entries = firstStep > 0 ? read(path) : []
    entries.append(current(configuration, group: group, firstStep: firstStep))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write([UInt8](encoder.encode(entries)), to: path)
  }

  /// What is different now from when the run was last at work, and may change its numbers: the
  /// same seed gives the same bits only on the same machine with the same number of threads.
  static func changes(
    from path: String, to configuration: TrainingConfiguration, group: ProcessGroup
  ) -> [String] {
    guard let before = read(path).last else { return [] }
    let now = current(configuration, group: group, firstStep: 0)
    let differences: [(String, String, String)] = [
      ("processes", String(before.processes ?? 1), String(now.processes ?? 1)),
      ("threads", String(before.threads), String(now.threads)),
      ("device", before.device, now.device),
      ("processor", before.processor, now.processor),
      ("libtorch", before.libtorch, now.libtorch),
    ].filter { $0.1 != $0.2 }
    guard !differences.isEmpty else { return [] }
    let list = differences.map { "\($0.0) \($0.1), now \($0.2)" }.joined(separator: "; ")
    return [
      "this run was made in another environment (\(list)): it goes on, but its numbers will differ by"
        + " rounding from those of an unbroken run"
    ]
  }

  /// The launches that have begun a run or gone on with it.
  static func launches(in path: String) -> [String] { read(path).compactMap(\.launch) }

  private static func read(_ path: String) -> [RunEnvironment] {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { return [] }
    return (try? JSONDecoder().decode([RunEnvironment].self, from: data)) ?? []
  }

  private static func current(
    _ configuration: TrainingConfiguration, group: ProcessGroup, firstStep: Int
  ) -> RunEnvironment {
    let machine = EnvironmentReport()
    return RunEnvironment(
      started: Date().formatted(.iso8601), firstStep: firstStep,
      command: ProcessInfo.processInfo.arguments, system: machine.system,
      processor: machine.processor ?? "unknown", cores: machine.cores,
      threads: TorchRuntime.threads, device: configuration.device, swift: machine.swift,
      libtorch: (try? TorchRuntime.runningVersion()) ?? "unknown", commit: commit(),
      seed: configuration.seed, epochs: configuration.epochs,
      processes: group.size > 1 ? group.size : nil, launch: group.launch)
  }

  /// The commit of the repository in the current folder, if it is one.
  private static func commit() -> String? {
    func read(_ path: String) -> String? {
      (try? String(contentsOfFile: path, encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    guard let head = read(".git/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return head }
    return read(".git/" + head.dropFirst(5))
  }
}
