// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import MUXStudies

/// What the settings of a command line would change in a study that exists: nothing may, but for its
/// limits, so each difference is an error rather than silently ignored.
extension SearchRunCommand {
  /// Refuses settings that are not those of the study.
  func checkSettings(of study: Study) throws {
    let lines = try differences(from: study.definition) + attributeDifferences(from: study)
    guard !lines.isEmpty else { return }
    throw CommandError(
      "study '\(study.name)' exists with other settings: \(lines.joined(separator: "; ")); go on"
        + " with it by muxnet search run \(ShellWord.quoted(study.name)) alone, or take another name"
    )
  }

  private func differences(from kept: StudyDefinition) throws -> [String] {
    let wanted = try options.describesStudy ? options.definition() : settingsAlone()
    var lines: [String] = []
    func compare(_ option: String, _ name: String, _ kept: String, _ wanted: String) {
      // Where the study is described whole, what is left out stands for its default.
      guard options.describesStudy || Self.isGiven(option), kept != wanted else { return }
      lines.append("\(name) \(kept), not \(wanted)")
    }
    compare("--seed", "seed", "\(kept.seed)", "\(wanted.seed)")
    compare("--algorithm", "algorithm", kept.algorithm.name, wanted.algorithm.name)
    compare("--population", "population", "\(kept.population)", "\(wanted.population)")
    compare("--objectives", "objectives", Self.names(kept), Self.names(wanted))
    compare("--objective", "objectives of your own", Self.own(kept), Self.own(wanted))
    compare("--error-scale", "error scale", Self.errorScale(kept), Self.errorScale(wanted))
    for (option, kind) in [("--target", ReferenceTarget.Kind.direction), ("--budget", .budget)] {
      compare(
        option, kind == .budget ? "budgets" : "targets", Self.text(kept.goal, kind),
        Self.text(wanted.goal, kind))
    }
    let stopping = kept.earlyStopping == nil ? "none" : "on"
    compare("--prune", "early stopping", stopping, options.prune ? "on" : "none")
    lines += try evaluationDifference(from: kept)
    lines +=
      try options.describesStudy
      ? spaceDifference(kept, wanted) : limitDifferences(from: kept)
    if lines.isEmpty, options.describesStudy {
      var (kept, wanted) = (kept, wanted)
      kept.limits = StudyLimits()
      wanted.limits = StudyLimits()
      if kept != wanted { lines.append("its definition is of another version of muxnet") }
    }
    return lines
  }

  /// The settings of the command line on some space, without what only a space or an evaluation has.
  private func settingsAlone() throws -> StudyDefinition {
    var some = options
    some.space = "digits"
    some.evaluate = "true"
    some.supernet = nil
    some.grid = nil
    (some.recipe, some.config, some.assignments) = (nil, nil, [])
    (some.maxParams, some.maxMadds, some.maxLatency, some.data) = (nil, nil, nil, nil)
    some.prune = false
    return try some.definition()
  }

  private func evaluationDifference(from kept: StudyDefinition) throws -> [String] {
    let isTraining =
      options.recipe != nil || options.config != nil || !options.assignments.isEmpty
      || options.data != nil
    let wanted: EvaluationMethod
    if options.grid != nil {
      wanted = try options.definition().evaluation
    } else if let line = options.evaluate {
      wanted = .command(line: line)
    } else if let run = options.supernet {
      wanted = try StudyEvaluators.supernet(run: run, space: nil).method
    } else if isTraining {
      wanted = try StudyEvaluators.training(
        recipe: options.recipe, config: options.config, assignments: options.assignments,
        data: options.data)
    } else {
      return []
    }
    guard kept.evaluation != wanted else { return [] }
    if case .training = kept.evaluation, case .training = wanted {
      return ["the settings of its training"]
    }
    if case .supernet(let old, _) = kept.evaluation, case .supernet(let new, _) = wanted, old == new
    {
      return ["the super-network in \(old) as it was: it has changed since"]
    }
    return ["evaluation by \(Self.text(kept.evaluation)), not \(Self.text(wanted))"]
  }

  private func spaceDifference(_ kept: StudyDefinition, _ wanted: StudyDefinition) -> [String] {
    if kept.space == wanted.space, kept.tableLimits == wanted.tableLimits { return [] }
    if kept.grid != nil, wanted.grid != nil { return ["another list of networks or seeds"] }
    let (old, new) = (Self.name(kept.space), Self.name(wanted.space))
    return [old == new ? "other choices or limits of the space \(old)" : "space \(old), not \(new)"]
  }

  /// The limits of the space, by options that are given without it.
  private func limitDifferences(from kept: StudyDefinition) throws -> [String] {
    var limits = NetworkSpace.Constraints()
    switch kept.space {
    case .networks(let space, _): limits = space.constraints
    case .table: limits = kept.tableLimits ?? limits
    case .grid: break
    }
    let given: [(name: String, text: String?, kept: Double?)] = [
      ("--max-params", options.maxParams, limits.maximumParameters.map(Double.init)),
      ("--max-madds", options.maxMadds, limits.maximumMultiplyAdds.map(Double.init)),
      ("--max-latency", options.maxLatency.map { "\($0)" }, limits.maximumLatency),
    ]
    return try given.compactMap { name, text, kept in
      guard let text else { return nil }
      let wanted = try ReferenceTarget(parsing: "\(name)=\(text)").values[name]
      return wanted == kept
        ? nil : "\(name.dropFirst(2)) \(kept.map(StudyText.natural) ?? "without"), not \(text)"
    }
  }

  private func attributeDifferences(from study: Study) -> [String] {
    options.attributes.sorted { $0.key < $1.key }.compactMap { key, value in
      study.attributes[key] == value
        ? nil : "attribute \(key) \(study.attributes[key] ?? "not set"), not \(value)"
    }
  }

  /// The parser fills in defaults, so that only the words themselves tell what was given.
  private static func isGiven(_ option: String) -> Bool {
    CommandLine.arguments.contains { $0 == option || $0.hasPrefix("\(option)=") }
  }

  private static func names(_ definition: StudyDefinition) -> String {
    known(definition).map(\.name).joined(separator: ",")
  }

  /// The objectives that every search may have, and behind them those of the user's own.
  private static func known(_ definition: StudyDefinition) -> ArraySlice<Objective> {
    guard case .networks(_, let quantities) = definition.space else {
      return definition.objectives[...]
    }
    return definition.objectives.prefix(quantities.count)
  }

  private static func own(_ definition: StudyDefinition) -> String {
    let own = definition.objectives.dropFirst(known(definition).count)
    guard !own.isEmpty else { return "none" }
    return own.map { objective in
      let formula = (objective.weights ?? [:]).sorted { $0.key < $1.key }
        .map { "\($0.value)*\($0.key)" }.joined(separator: "+")
      return "\(objective.name):\(objective.isMaximized ? "maximize" : "minimize")"
        + ":\(objective.metric.unit):\(StudyText.natural(objective.scale))"
        + (formula.isEmpty ? "" : "=\(formula)")
    }.joined(separator: " ")
  }

  private static func errorScale(_ definition: StudyDefinition) -> String {
    definition.objectives.first { $0.metric == .error }.map { "\($0.scale)" } ?? "none"
  }

  private static func text(_ goal: SearchGoal, _ kind: ReferenceTarget.Kind) -> String {
    guard case .targets(let all) = goal else { return "none" }
    let targets = all.filter { $0.kind == kind }
    guard !targets.isEmpty else { return "none" }
    return targets.map { target in
      let values = target.values.sorted { $0.key < $1.key }
        .map { "\($0.key)=\(StudyText.natural($0.value))" }.joined(separator: ",")
      // A target without a name of its own is called by its text.
      return target.name.contains("=") ? values : "\(target.name):\(values)"
    }.joined(separator: " ")
  }

  private static func text(_ evaluation: EvaluationMethod) -> String {
    switch evaluation {
    case .command(let line): "'\(line.split(whereSeparator: \.isNewline).joined(separator: " "))'"
    case .training: "training"
    case .table: "its table"
    case .supernet(let run, _): "the super-network in \(run)"
    case .code(let name): "code called '\(name)'"
    }
  }

  private static func name(_ space: StudyDefinition.Space) -> String {
    switch space {
    case .networks(let space, _): "'\(space.name)'"
    case .table(let name, let path): "\(name):\(path)"
    case .grid: "of a list"
    }
  }
}
