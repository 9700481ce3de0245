// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXSearch
import MUXStudies

// The study that the options ask for.
extension StudyOptions {
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
    if let gene = domain.genes.first(where: { gene in own.contains { $0.name == gene.name } }) {
      throw CommandError(
        "'\(gene.name)' is a choice of the space; give the objective another name")
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
}
