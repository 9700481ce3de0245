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
      "A table of trained networks instead of a space, to try out a setup: nas-bench-macro:FILE or "
        + "nas-bench-201:FILE.", valueName: "name:file"))
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

  /// The study that is described.
  func definition() throws -> StudyDefinition {
    if let grid { return try gridDefinition(grid) }
    var definition =
      if let table { try tableDefinition(table) } else { try networkDefinition() }
    if prune {
      if case .table = definition.evaluation {
        throw CommandError(
          "--prune is for evaluations that take a while; a table reports nothing midway")
      }
      definition.earlyStopping = ParetoHalving.Settings()
    }
    return definition
  }

  private func networkDefinition() throws -> StudyDefinition {
    var shared: EvaluationMethod?
    var space: NetworkSpace
    if let supernet {
      let found = try StudyEvaluators.supernet(
        run: supernet, space: try self.space.map { try NetworkSpace.resolve($0) })
      (shared, space) = (found.method, found.space)
    } else if let text = self.space {
      space = try NetworkSpace.resolve(text)
    } else {
      throw CommandError(
        "name what is searched: --space digits, small, imagenet or FILE, or --table NAME:FILE")
    }
    if let maxParams {
      space.constraints.maximumParameters = try Self.count(maxParams, "--max-params")
    }
    if let maxMadds {
      space.constraints.maximumMultiplyAdds = try Self.count(maxMadds, "--max-madds")
    }
    if let maxLatency { space.constraints.maximumLatency = maxLatency }
    let targets = try parsedTargets()
    let quantities = try objectives.split(separator: ",").map { name in
      guard let quantity = NetworkDomain.Quantity(rawValue: String(name)) else {
        let all = NetworkDomain.Quantity.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandError(
          "there is no objective '\(name)'; there are \(all), and your own by --objective, such as"
            + " --objective \(name):minimize")
      }
      return quantity
    }
    let evaluation = try shared ?? evaluationMethod()
    if let classes = try StudyEvaluators.classes(of: evaluation), classes != space.classes {
      Console.note(
        "the space '\(space.name)' is for \(space.classes) classes, and the data have \(classes):"
          + " its networks get \(classes) outputs")
      space.classes = classes
    }
    let domain = NetworkDomain(space, quantities: quantities)
    let own = try ownObjectives.map { text in
      try Objective(parsing: text, targets: targets) { domain.reach(of: $0).upperBound }
    }
    if evaluate == nil, let measured = own.first(where: { $0.weights == nil }) {
      throw CommandError(
        "a \(evaluation.name) gives no '\(measured.name)'; evaluate by a command that prints it, or say how it"
          + " follows from params and madds")
    }
    return try StudyDefinition(
      networks: space, quantities: quantities, own: own, targets: targets,
      errorScale: errorScale ?? 33.3, algorithm: algorithmSettings(), seed: seed,
      evaluation: evaluation, limits: limits())
  }

  private func gridDefinition(_ path: String) throws -> StudyDefinition {
    let made = try StudyEvaluators.grid(
      path, recipe: recipe, config: config, assignments: assignments, data: data)
    var definition = try StudyDefinition(grid: made.grid, evaluation: made.method)
    for entry in made.grid.networks {
      if let defect = entry.defect {
        Console.warning("network '\(entry.name)' of \(path) cannot be trained: \(defect)")
      }
    }
    definition.limits = limits(over: definition.limits)
    return definition
  }

  private func tableDefinition(_ text: String) throws -> StudyDefinition {
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw CommandError("--table takes NAME:FILE, such as nas-bench-macro:FILE, not '\(text)'")
    }
    try refuseSettingsOfSpaces()
    let path = URL(filePath: parts[1]).path(percentEncoded: false)
    let table = try StudyDefinition.table(parts[0], path: path)
    let targets = try parsedTargets()
    var definition = StudyDefinition(
      space: .table(name: parts[0], path: path), objectives: try tableObjectives(of: table),
      goal: targets.isEmpty ? .wholeFront(partitions: 8) : .targets(targets),
      algorithm: algorithmSettings(), seed: seed, evaluation: .table, limits: limits())
    var limits = NetworkSpace.Constraints()
    limits.maximumParameters = try maxParams.map { try Self.count($0, "--max-params") }
    limits.maximumMultiplyAdds = try maxMadds.map { try Self.count($0, "--max-madds") }
    limits.maximumLatency = maxLatency
    if limits != NetworkSpace.Constraints() { definition.tableLimits = limits }
    return definition
  }

  /// The named ones of the table's objectives, in the order of the names.
  private func tableObjectives(of table: any BenchmarkTable) throws -> [Objective] {
    try objectives.split(separator: ",").map { name in
      guard var objective = table.objectives.first(where: { $0.name == name }) else {
        let all = table.objectives.map(\.name).joined(separator: ", ")
        throw CommandError("the table '\(table.name)' has no objective '\(name)'; it has \(all)")
      }
      if objective.metric == .error, let errorScale { objective.scale = errorScale }
      return objective
    }
  }

  /// A table is its own evaluation: settings of another one are refused rather than ignored.
  private func refuseSettingsOfSpaces() throws {
    let given: [(option: String, isGiven: Bool)] = [
      ("--evaluate", evaluate != nil), ("--recipe", recipe != nil), ("--config", config != nil),
      ("--set", !assignments.isEmpty), ("--data", data != nil),
      ("--objective", !ownObjectives.isEmpty),
    ]
    let names = given.filter(\.isGiven).map(\.option)
    guard names.isEmpty else {
      throw CommandError(
        "a table is its own evaluation and has its own objectives; leave out"
          + " \(names.joined(separator: ", "))")
    }
  }

  private func parsedTargets() throws -> [ReferenceTarget] {
    func parse(_ text: String, _ kind: ReferenceTarget.Kind) throws -> ReferenceTarget {
      let colon = text.firstIndex(of: ":")
      let values = colon.map { String(text[text.index(after: $0)...]) } ?? text
      var target = try ReferenceTarget(parsing: values)
      if let colon { target.name = String(text[..<colon]) }
      target.kind = kind
      return target
    }
    let parsed =
      try targets.map { try parse($0, .direction) } + budgets.map { try parse($0, .budget) }
    for (index, target) in parsed.enumerated()
    where parsed.prefix(index).contains(where: { $0.name == target.name }) {
      throw CommandError(
        "two targets or budgets are called '\(target.name)'; give each a name of its own")
    }
    return parsed
  }

  private func algorithmSettings() -> AlgorithmSettings {
    let chosen =
      AlgorithmSettings.named.first { $0.name == algorithm }?.settings ?? .guided(.thorough)
    guard let population else { return chosen }
    switch chosen {
    case .moead(var settings):
      settings.population = population
      return .moead(settings)
    case .guided(var settings):
      settings.base.population = population
      return .guided(settings)
    case .evolution(var settings):
      settings.population = population
      return .evolution(settings)
    case .nsga2(var settings):
      settings.population = population
      return .nsga2(settings)
    case .random, .local, .list: return chosen
    }
  }

  private func evaluationMethod() throws -> EvaluationMethod {
    if let evaluate { return .command(line: evaluate) }
    return try StudyEvaluators.training(
      recipe: recipe, config: config, assignments: assignments, data: data)
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
