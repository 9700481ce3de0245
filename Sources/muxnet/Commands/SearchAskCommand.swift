// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXReport
import MUXStudies

/// Gives out trials by hand.
struct SearchAskCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ask",
    abstract: "Ask a study for networks, to evaluate them elsewhere (SLURM, another program).",
    discussion: """
      Prints one line of JSON per network, as --evaluate commands get it on their standard input: \
      trial, genome, genes, known values and the network as YAML. Report the result with muxnet \
      search tell. A trial without a result after --hold is given to whoever asks next.

      EXAMPLES
        muxnet search ask mine > trial.json
        muxnet search ask mine --count 8 --hold 48h
        muxnet search ask mine --network net.yaml
      """)

  @OptionGroup var study: StudyArgument

  @Option(help: "The number of networks.")
  var count = 1

  @Option(
    help: ArgumentHelp(
      "How long a trial may take: seconds, or such as 30m, 24h, 7d.", valueName: "time"))
  var hold = "24h"

  @Option(help: "A file for the network; only for a single trial.", completion: .file())
  var network: String?

  @Flag(help: "Replace the file of --network if it exists.")
  var overwrite = false

  @OptionGroup var storage: StorageOptions

  func validate() throws {
    if !(1...10_000).contains(count) {
      throw ValidationError("--count must be from 1 to 10,000, not \(count)")
    }
    if network != nil, count > 1 { throw ValidationError("--network is for one trial") }
    if network == nil, overwrite { throw ValidationError("--overwrite needs --network") }
    _ = try Self.seconds(hold)
  }

  func run() throws {
    if let network { try ReportFile.check(network, overwrites: overwrite) }
    let coordinator = try storage.coordinator(for: .write)
    let found = try coordinator.study(named: study.study)
    let leases = try coordinator.ask(found, count: count, holding: try Self.seconds(hold))
    guard let first = leases.first else {
      throw CommandError(
        "study '\(found.name)' has no network to give out: all its trials are under way or done")
    }
    if let network {
      try NetworkExport.write(first.trial, called: "\(first.trial.number)", of: found, to: network)
    }
    let problem = try found.definition.problem()
    for lease in leases {
      let request = EvaluationRequest(study: lease.study, trial: lease.trial, problem: problem)
      Console.result(String(decoding: try TrialInput(request).json(), as: UTF8.self))
    }
    if leases.count < count { Console.note("there are \(leases.count) only") }
  }

  private static func seconds(_ text: String) throws -> Double {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    guard let value = Double(unit == nil ? text[...] : text.dropLast()), value > 0,
      value * (unit ?? 1) <= 31_536_000
    else {
      throw ValidationError(
        "--hold takes seconds or a duration such as 30m, 24h, 7d, not '\(text)'")
    }
    return value * (unit ?? 1)
  }
}
