// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXSearch
import MUXStudies

extension StudyCharts {
  /// The share of all trials that counts as the best ones here.
  static var bestShare: Double { 0.1 }
  /// Lines of other trials in parallel coordinates; more would be one grey area.
  private static var mostLines: Int { 400 }
  /// The same of the best tenth.
  private static var mostBestLines: Int { 2000 }
  /// Genes in parallel coordinates, beside the objectives.
  private static var mostGenes: Int { 8 }

  /// Parallel coordinates and gene frequencies.
  var preferences: [StudyChart] {
    let view = view
    let best = view.history.nearest(share: Self.bestShare)
    let shares = view.decisions.map { decision in
      (decision, share(decision), share(decision, best))
    }
    return [parallel(best, shares), frequencies(best, shares)]
  }

  private typealias Shares = (decision: StudyView.Decision, all: [Double], best: [Double])

  private func share(_ decision: StudyView.Decision) -> [Double] {
    let choices = view.history.choices
    return decision.choices.indices.map {
      Double(choices.count(ofGene: decision.index, choice: $0)) / Double(max(1, choices.count))
    }
  }

  private func share(_ decision: StudyView.Decision, _ places: [Int]) -> [Double] {
    var counts = [Double](repeating: 0, count: decision.choices.count)
    for place in places {
      let values = view.history.completed[place].genome.values
      guard decision.index < values.count, counts.indices.contains(values[decision.index]) else {
        continue
      }
      counts[values[decision.index]] += 1
    }
    return counts.map { $0 / Double(max(1, places.count)) }
  }

  private func parallel(_ best: [Int], _ shares: [Shares]) -> StudyChart {
    // The genes in which the best differ most from all, in the order of the space.
    let told = shares.enumerated().map { place, one in
      (zip(one.all, one.best).reduce(0) { $0 + abs($1.0 - $1.1) }, place)
    }
    let chosen = told.sorted { ($1.0, $0.1) < ($0.0, $1.1) }.prefix(Self.mostGenes).map(\.1)
      .sorted()
      .map { shares[$0].decision }
    let objectives = view.history.objectives
    let axes =
      chosen.map { ParallelCoordinates.Axis($0.name, choices: $0.choices) }
      + objectives.map {
        ParallelCoordinates.Axis($0.axisTitle, format: $0.axisFormat)
      }
    func line(_ place: Int) -> ParallelCoordinates.Line {
      let trial = view.history.completed[place]
      let genes = chosen.map { Double(trial.genome.values[$0.index]) }
      return .init(
        genes + (trial.objectives ?? []), detail: text(trial), identifier: trial.number)
    }
    let isBest = Set(best)
    let rest = view.history.completed.indices.filter { !isBest.contains($0) }
    let others = rest.thinned(to: Self.mostLines)
    let leaders =
      view.hasTargets
      ? view.history.leaders.prefix(Self.mostTargets).map { $0?.trial.number } : []
    let first = Set(leaders.compactMap { $0 })
    let tenth = best.filter { !first.contains(view.history.completed[$0].number) }
      .thinned(to: Self.mostBestLines)
    var groups = [
      ParallelCoordinates.Group(
        others.named("other complete trials"), lines: others.kept.map(line), color: 7),
      ParallelCoordinates.Group(
        tenth.named("best tenth", whole: "the best tenth"), lines: tenth.kept.map(line), color: 1),
    ]
    for (index, number) in leaders.enumerated() {
      let place = view.history.completed.firstIndex { $0.number == number }
      let name = TextMetrics.shortened(view.history.targets[index], size: 12, limit: 150)
      groups.append(
        .init(
          "best for \(name)", lines: place.map { [line($0)] } ?? [],
          color: Self.color(ofTarget: index), isEmphasized: true))
    }
    return StudyChart(
      name: "parallel-coordinates",
      figure: Figure(
        title: "Parallel coordinates",
        subtitle: chosen.count < view.decisions.count
          ? "The \(chosen.count) genes in which the best differ most, and the objectives." : "",
        panels: [
          ParallelCoordinates(
            axes: axes, groups: groups, emptyText: "no complete trial yet", height: 420)
        ], panelWidth: 1024, notes: bestNote))
  }

  private func frequencies(_ best: [Int], _ shares: [Shares]) -> StudyChart {
    let hasTrials = !view.history.completed.isEmpty
    return StudyChart(
      name: "gene-frequencies",
      figure: Figure(
        title: "What the best choose",
        panels: [
          ChoiceShares(
            groups: [("all complete trials", 7), ("the best tenth", 1)],
            rows: hasTrials
              ? shares.map {
                .init($0.decision.name, choices: $0.decision.choices, shares: [$0.all, $0.best])
              } : [], emptyText: "no complete trial yet")
        ], panelWidth: 1024, notes: bestNote))
  }

  private var bestNote: [String] {
    view.history.completed.isEmpty
      ? []
      : [
        "The best tenth: the trials nearest to each "
          + (view.hasTargets ? "target" : "of \(view.history.targets.count) directions")
          + " by g, an equal number for each."
      ]
  }
}
