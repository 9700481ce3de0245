// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXCore
import MUXSearch
package import MUXStudies

/// The parts that the report and the dashboard show of a study, as HTML.
package struct StudySections {
  private let view: StudyView
  private let counts: [TrialState: Int]

  /// The parts of a study with so many trials in each state.
  package init(_ view: StudyView, counts: [TrialState: Int]) {
    self.view = view
    self.counts = counts
  }

  /// All charts; those that need the width below the others.
  package func charts(_ charts: [StudyChart]) -> String {
    func box(_ chart: StudyChart, _ classes: String) -> String {
      "<div class=\"\(classes)\" id=\"\(HTML.escaped(chart.name))\">\(chart.figure.picture.svg)</div>"
    }
    let isWide = { (chart: StudyChart) in chart.figure.panelWidth > 700 }
    return "<div class=\"charts\">"
      + charts.filter { !isWide($0) }.map { box($0, "chart") }.joined(separator: "\n") + "</div>"
      + charts.filter(isWide).map { box($0, "chart whole") }.joined(separator: "\n")
  }

  /// How far the study is, in a list.
  package var summary: String {
    let states = TrialState.allCases.compactMap { state in
      (counts[state] ?? 0) > 0 ? "\((counts[state] ?? 0).grouped) \(state.rawValue)" : nil
    }
    let finished = counts.reduce(0) { $0 + ($1.key.isFinished ? $1.value : 0) }
    let volume = view.history.hypervolume.last?.value ?? 0
    return HTML.list([
      (
        "trials",
        "\(finished.grouped) of \(view.study.definition.limits.trials.grouped) finished"
          + (states.isEmpty ? "" : " (\(states.joined(separator: ", ")))")
      ),
      ("hypervolume", NumberText.fixed(volume, decimals: 4)),
      ("on the front", "\(view.history.front.count.grouped) networks"),
    ])
  }

  /// What is searched, and how: a list, with the space and the training below.
  package var settings: String {
    let definition = view.study.definition
    let limits = definition.limits
    var entries = [
      ("created", view.study.created.formatted(.iso8601)), ("space", space),
      ("objectives", objectives), ("targets", goal),
      (
        "algorithm",
        definition.algorithm.name
          + (definition.algorithm.hasPopulation ? ", population \(definition.population)" : "")
          + ", seed \(definition.seed)"
      ),
      (
        "evaluation",
        definition.evaluation.name
          + (definition.earlyStopping == nil ? "" : ", hopeless ones are stopped early")
      ),
      (
        "limits",
        "\(limits.trials.grouped) trials, "
          + (limits.timeout.map { "\(StudyText.duration($0)) for each, " } ?? "")
          + "\(limits.retries) retries, lease \(StudyText.duration(limits.lease))"
      ),
    ]
    entries += view.study.attributes.sorted { $0.key < $1.key }
      .map { ("attribute", "\($0.key)=\($0.value)") }
    return HTML.list(entries.map { ($0.0, HTML.escaped($0.1)) }) + details
  }

  private var space: String {
    switch view.study.definition.space {
    case .networks(let space, _): "\(space.name) (\(view.decisions.count) genes with a choice)"
    case .table(let name, let path): "table \(name) in \(path)"
    case .grid(let grid):
      "a list of \(grid.networks.count.grouped) networks, each with \(grid.seeds.count.grouped) seeds"
    }
  }

  private var objectives: String {
    view.study.definition.objectives.map {
      "\($0.name) (scale \(StudyText.value($0.scale, of: $0)))"
    }.joined(separator: ", ")
  }

  private var goal: String {
    let definition = view.study.definition
    var goal = "the whole front, \(view.history.targets.count) directions"
    if case .targets(let targets) = definition.goal {
      goal = targets.map { target in
        let values = definition.objectives.compactMap { objective in
          target.values[objective.name].map {
            "\(objective.name) \(StudyText.value($0, of: objective))"
          }
        }.joined(separator: ", ")
        return "\(target.kind == .budget ? "budget " : "")\(target.name) (\(values))"
      }.joined(separator: "; ")
    }
    return goal
  }

  /// What is too long for the list.
  private var details: String {
    let definition = view.study.definition
    var html = ""
    func details(_ title: String, _ text: String) {
      html +=
        "<details><summary>\(title)</summary><pre>\(HTML.escaped(text))</pre></details>"
    }
    switch definition.evaluation {
    case .training(let settings): details("The training's settings", settings)
    case .command(let line): details("The command", line)
    case .code(let name): details("The code", name)
    case .supernet(let run, let digest):
      details("The super-network", "\(run)\nhash of its tensors: \(digest)")
    case .table: break
    }
    if case .networks(let space, _) = definition.space, let yaml = try? space.yaml() {
      details("The space", yaml)
    }
    return html
  }

  /// The decisions that a table of importance shows.
  private static let mostDecisions = 12

  /// How much each decision matters for each objective, with a heading; empty with too few trials.
  package var importance: String {
    let objectives = view.history.objectives
    let genes = view.decisions.map(\.index)
    let found = objectives.indices.map { index in
      ChoiceImportance(view.history.choices, objective: index, genes: genes)
    }
    guard let lead = found.firstIndex(where: { $0 != nil }), let first = found[lead] else {
      return ""
    }
    let order = view.decisions.indices.sorted {
      (first.shares[$1], $0) < (first.shares[$0], $1)
    }.prefix(Self.mostDecisions)
    func share(_ importance: ChoiceImportance?, _ decision: Int) -> String {
      importance.map { NumberText.percent($0.shares[decision]) } ?? "–"
    }
    let rows = order.map { place -> (String?, [String]) in
      let decision = view.decisions[place]
      let tried = first.effects[place].enumerated().compactMap { choice, effect in
        effect.map { (choice, $0) }
      }
      let isMaximized = objectives[lead].isMaximized
      let best = tried.min { isMaximized ? $0.1 > $1.1 : $0.1 < $1.1 }
      let text = best.map { choice, effect in
        "\(decision.choices[choice]) (\(effect < 0 ? "−" : "+")"
          + "\(StudyText.value(abs(effect), of: objectives[lead])))"
      }
      return (
        nil,
        [HTML.escaped(decision.name)] + found.map { share($0, place) } + [HTML.escaped(text ?? "–")]
      )
    }
    let rest = found.map { $0.map { NumberText.percent($0.rest) } ?? "–" }
    return "<h2>Importance of choices</h2>"
      + HTML.table(
        ["gene"] + objectives.map { "#share of \($0.name)" }
          + ["best choice for \(objectives[lead].name), against the mean"],
        rows + [(nil, ["pairs of genes, and chance"] + rest + [""])])
      + "<p class=\"muted\">The share of the differences between networks that each gene makes by itself"
      + " (functional analysis of variance, first order, of the networks that were tried).</p>"
  }

  /// A table of trials with their block strings. `link` gives the address of a trial's page.
  package func trials(_ trials: [Trial], link: ((Int) -> String)? = nil) -> String {
    guard !trials.isEmpty else { return "<p class=\"muted\">no complete trial yet</p>" }
    let objectives = view.history.objectives
    return HTML.table(
      ["best for", "#trial"] + objectives.map { "#\($0.axisTitle)" }
        + (view.hasTargets ? ["within"] : []) + ["network"],
      trials.map { trial in
        let number =
          link.map { "<a href=\"\(HTML.escaped($0(trial.number)))\">\(trial.number)</a>" }
          ?? "\(trial.number)"
        let values = zip(objectives, trial.objectives ?? []).map {
          HTML.escaped(StudyText.value($1, of: $0))
        }
        let leads = view.hasTargets ? view.leads(trial.number).joined(separator: ", ") : ""
        return (
          "trial-\(trial.number)",
          [HTML.escaped(leads), number] + values
            + (view.hasTargets ? [HTML.escaped(view.fits(trial))] : [])
            + ["<code>\(HTML.escaped(view.network(trial)))</code>"]
        )
      })
  }
}
