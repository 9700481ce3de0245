// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXSearch
import MUXStudies

/// What a study searches, and how.
struct StudyOptions: ParsableArguments {
  @Option(help: "The search space: digits, small, imagenet or a YAML file.", completion: .file())
  var space: String?

  @Option(
    help: ArgumentHelp(
      "A table of trained networks instead of a space, to try out a setup: nas-bench-macro:FILE, "
        + "or nas-bench-201, nats-bench-cifar10, nats-bench-cifar100, nats-bench-imagenet16 in its place.",
      valueName: "name:file"))
  var table: String?

  @Option(
    help: ArgumentHelp(
      "A fixed list of networks and seeds instead of a search: a YAML file; each network is trained "
        + "with each seed.", valueName: "file"), completion: .file())
  var grid: String?

  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      "A target, such as params=1.5M,madds=60M or small:params=5k,error=4; may be given "
        + "several times. Without one, the whole front is searched.", valueName: "name=value,…"))
  var targets: [String] = []

  @Option(
    name: .customLong("budget"),
    help: ArgumentHelp(
      "Limits within which the least error is searched, such as small:params=1.5M,madds=60M; may be "
        + "given several times, and together with targets.", valueName: "name=limit,…"))
  var budgets: [String] = []

  @Flag(help: "Accept targets outside the range of the space.")
  var allowOutside = false

  @Option(
    help: "The objectives to minimise: of error, params, madds, latency (ms in the runtime).")
  var objectives = Self.usualObjectives

  @Option(
    name: .customLong("objective"),
    help: ArgumentHelp(
      "An objective of your own that the evaluation measures, such as energy:minimize:mJ, with its scale "
        + "appended (:5) if no target names it; or one computed from the network, such as "
        + "energy:minimize:mJ=4e-9*madds+1e-7*params. May be given several times.",
      valueName: "name:direction:unit"))
  var ownObjectives: [String] = []

  @Option(help: "The error in percent that counts as much as the largest cost (default: 33.3).")
  var errorScale: Double?

  @Option(help: "The most parameters, such as 1.5M.")
  var maxParams: String?

  @Option(help: "The most multiply-adds, such as 60M.")
  var maxMadds: String?

  @Option(
    help: ArgumentHelp(
      "The most milliseconds for one image in the runtime on one thread, measured on the machine "
        + "that asks for the network.", valueName: "ms"))
  var maxLatency: Double?

  @Option(help: "guided, moead, evolution, nsga2, local or random.")
  var algorithm = Self.usualAlgorithm

  @Option(help: "The population of the algorithm (default: 40); random and local have none.")
  var population: Int?

  @Option(help: "The seed of the algorithm.")
  var seed: UInt64 = 0

  @Option(help: "The number of networks in all (default: 100).")
  var trials: Int?

  @Option(help: "Seconds after which an evaluation fails (default: no limit).")
  var timeout: Double?

  @Option(help: "How often a trial is retried whose worker vanished (default: 3).")
  var retries: Int?

  @Option(help: "Seconds without a heart-beat after which a worker has vanished (default: 30).")
  var lease: Double?

  @Flag(help: "Stop hopeless trainings early (successive halving for several objectives).")
  var prune = false

  @Option(
    help: ArgumentHelp(
      "A command that evaluates instead of training: it reads a JSON object and prints one, such "
        + "as {\"error\": 7.5}; see Docs/SEARCH.md.", valueName: "command"))
  var evaluate: String?

  @Option(
    help: ArgumentHelp(
      "The run of a super-network, whose weights evaluate a network in seconds instead of training it "
        + "(muxnet search supernet train).", valueName: "folder"),
    completion: .directory)
  var supernet: String?

  @Option(help: "The recipe by which networks are trained.")
  var recipe: String?

  @Option(
    name: [.short, .long], help: "A file of settings that override the recipe's.",
    completion: .file())
  var config: String?

  @Option(help: "The folder of the data to train on.", completion: .directory)
  var data: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any setting of the training.", valueName: "key=value"))
  var assignments: [String] = []

  @Option(
    name: .customLong("attribute"),
    help: ArgumentHelp("A note to keep with the study.", valueName: "key=value"))
  var attributeTexts: [String] = []

  private static let usualAlgorithm = "guided"
  private static let usualObjectives = [Metric.error, .parameters, .multiplyAdds]
    .map(\.name).joined(separator: ",")

  /// Whether a study is described, and not only how far one shall go.
  var describesStudy: Bool {
    space != nil || table != nil || supernet != nil || grid != nil
  }

  func validate() throws {
    if space != nil, table != nil { throw ValidationError("give --space or --table, not both") }
    if !AlgorithmSettings.named.contains(where: { $0.name == algorithm }) {
      let names = AlgorithmSettings.named.map(\.name).joined(separator: ", ")
      throw ValidationError("there is no algorithm '\(algorithm)'; there are \(names)")
    }
    if evaluate != nil, recipe != nil || config != nil || !assignments.isEmpty || data != nil {
      throw ValidationError(
        "--evaluate replaces the training; leave out --recipe, --config, --set, --data")
    }
    try refuseOthers()
    if AlgorithmSettings.named.contains(where: {
      $0.name == algorithm && !$0.settings.hasPopulation
    }) {
      try UnusedOptions.refuse(
        [("population", population != nil)], because: "the algorithm \(algorithm) keeps no networks"
      )
    }
    if targets.isEmpty, budgets.isEmpty {
      try UnusedOptions.refuse(
        [("allow-outside", allowOutside)], because: "there is neither --target nor --budget")
    }
    if !objectives.split(separator: ",").contains(Substring(Metric.error.name)) {
      try UnusedOptions.refuse(
        [("error-scale", errorScale != nil)],
        because: "\(Metric.error.name) is not among the --objectives")
    }
    for text in attributeTexts where !text.contains("=") || text.hasPrefix("=") {
      throw ValidationError("--attribute takes KEY=VALUE, not '\(text)'")
    }
    if let maxLatency, !(maxLatency > 0 && maxLatency.isFinite) {
      throw ValidationError("--max-latency must be above 0 milliseconds, not \(maxLatency)")
    }
    if let population, population < 2 {
      throw ValidationError("--population must be at least 2, not \(population)")
    }
  }

  /// Refuses what has no meaning beside --grid or --supernet.
  private func refuseOthers() throws {
    func refuse(_ given: [(option: String, isGiven: Bool)], because reason: String) throws {
      let others = given.filter(\.isGiven).map(\.option)
      if !others.isEmpty {
        throw ValidationError("\(reason); leave out \(others.joined(separator: ", "))")
      }
    }
    if grid != nil {
      try refuse(
        [
          ("--space", space != nil), ("--table", table != nil), ("--supernet", supernet != nil),
          ("--evaluate", evaluate != nil), ("--target", !targets.isEmpty),
          ("--budget", !budgets.isEmpty), ("--objective", !ownObjectives.isEmpty),
          ("--max-params", maxParams != nil), ("--max-madds", maxMadds != nil),
          ("--max-latency", maxLatency != nil), ("--population", population != nil),
          ("--prune", prune), ("--seed", seed != 0), ("--error-scale", errorScale != nil),
          ("--algorithm", algorithm != Self.usualAlgorithm),
          ("--objectives", objectives != Self.usualObjectives),
        ], because: "--grid is a list, and nothing is searched")
    }
    if supernet != nil {
      try refuse(
        [
          ("--evaluate", evaluate != nil), ("--table", table != nil), ("--recipe", recipe != nil),
          ("--config", config != nil), ("--set", !assignments.isEmpty), ("--data", data != nil),
          ("--prune", prune),
        ], because: "--supernet is the whole evaluation")
    }
  }

  var attributes: [String: String] {
    Dictionary(
      attributeTexts.map { text in
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      }, uniquingKeysWith: { $1 })
  }

  /// The limits, those not given taken from `base`.
  func limits(over base: StudyLimits = StudyLimits()) -> StudyLimits {
    StudyLimits(
      trials: trials ?? base.trials, timeout: timeout ?? base.timeout,
      retries: retries ?? base.retries, lease: lease ?? base.lease)
  }

  static func count(_ text: String, _ option: String) throws -> Int {
    let target = try? ReferenceTarget(parsing: "value=\(text)")
    guard let value = target?.values["value"], value >= 1, value < 1e15 else {
      throw CommandError("\(option) takes a number such as 1.5M, not '\(text)'")
    }
    return Int(value)
  }
}

struct StudyArgument: ParsableArguments {
  @Argument(help: "The study's name; may be left out where the storage has one study only.")
  var study: String?
}
