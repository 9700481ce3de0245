// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCharts
import MUXCore
import MUXNetworks
import MUXReport
import MUXSearch
import MUXStudies

/// The dashboard's pages as HTML.
enum DashboardPages {
  /// The trials on a page of the list.
  static let rows = 100

  /// A name as a part of a path.
  static func part(_ name: String) -> String {
    let plain = CharacterSet(
      charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~.")
    let encoded = name.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    // Browsers take these two for folders.
    return encoded == "." ? "%2E" : encoded == ".." ? "%2E%2E" : encoded
  }

  static func path(of study: String) -> String { "/studies/\(part(study))" }

  private static func page(
    _ title: String, events: String, texts: String = "", links: String = "", _ main: String,
    navigation: [(String, String)]
  ) -> String {
    let bar = navigation.map {
      $0.1.isEmpty
        ? "<span>\(HTML.escaped($0.0))</span>"
        : "<a href=\"\(HTML.escaped($0.1))\">\(HTML.escaped($0.0))</a>"
    }.joined(separator: "\n")
    return HTML.page(
      title: title, head: "<script src=\"/dashboard.js\" defer></script>",
      attributes: ["data-events": events, "data-texts": texts, "data-links": links],
      body: """
        <nav>\(bar)</nav>
        <main>
        <h1>\(HTML.escaped(title))</h1>
        \(main)
        </main>
        <p class="muted" id="live">not live: scripts are off, or the dashboard has ended</p>
        """)
  }

  // MARK: Studies

  static func studies(
    _ snapshots: [DashboardModel.Snapshot], damage: [String], storage: String
  ) -> String {
    let rows = snapshots.map { snapshot in
      let study = snapshot.view.study
      func count(_ state: TrialState) -> String { "\(snapshot.counts[state] ?? 0)" }
      let leaders = zip(snapshot.view.history.targets, snapshot.view.history.leaders)
      let best =
        snapshot.view.hasTargets
        ? leaders.compactMap { target, leader in
          leader.map {
            let fitness = NumberText.fixed($0.value, decimals: 3)
            return "\(HTML.escaped(target)): "
              + (snapshot.view.isBudget(target) ? "" : "g \(fitness), ")
              + "\(HTML.escaped(snapshot.view.values($0.trial)))"
              + " (\(HTML.escaped(snapshot.view.fits($0.trial))))"
          }
        }.joined(separator: "<br>") : "\(snapshot.view.history.front.count) on the front"
      let volume = snapshot.view.history.hypervolume.last?.value ?? 0
      return (
        String?.none,
        [
          "<a href=\"\(path(of: study.name))\">\(HTML.escaped(study.name))</a>",
          HTML.escaped(study.definition.algorithm.name),
          "\(snapshot.finishedCount)/\(study.definition.limits.trials)", count(.complete),
          count(.failed), count(.running), count(.stale), NumberText.fixed(volume, decimals: 4),
          best,
        ]
      )
    }
    let table =
      rows.isEmpty && damage.isEmpty
      ? "<p class=\"muted\">no studies yet</p>"
      : HTML.table(
        [
          "study", "algorithm", "#trials", "#complete", "#failed", "#running", "#stale",
          "#hypervolume", "best",
        ], rows)
    return page(
      "Studies", events: "/events",
      "<p class=\"muted\">\(HTML.escaped(storage))</p>\(table)"
        + damage.map { "<p>\(HTML.escaped($0))</p>" }.joined(),
      navigation: [("studies", "")])
  }

  static func study(_ snapshot: DashboardModel.Snapshot) -> String {
    let study = snapshot.view.study
    let base = path(of: study.name)
    let sections = StudySections(snapshot.view, counts: snapshot.counts)
    let charts = StudyCharts(snapshot.view, detail: .numbers).all
    let finest = snapshot.view.finest.prefix(50)
    let main = """
      \(sections.summary)
      \(active(snapshot, base))
      \(sections.charts(charts))
      <h2>\(snapshot.view.hasTargets ? "The best for each target, and of the front" : "Of the front")</h2>
      \(sections.trials(Array(finest)) { "\(base)/trials/\($0)" })
      <p class="muted">\(finest.count) of \(snapshot.view.finest.count); \
      <a href="\(base)/trials">all trials</a></p>
      \(sections.importance)
      <h2>Settings</h2>
      \(sections.settings)
      """
    return page(
      study.name, events: "\(base)/events", texts: "\(base)/texts/", links: "\(base)/trials/", main,
      navigation: [
        ("studies", "/"), (study.name, ""), ("trials", "\(base)/trials"),
        ("CSV", "\(base)/trials.csv"),
      ])
  }

  private static func active(_ snapshot: DashboardModel.Snapshot, _ base: String) -> String {
    let running = snapshot.active.filter { $0.state != .waiting }
    guard !running.isEmpty else { return "" }
    let rows = running.prefix(20).map { trial in
      (
        String?.none,
        [
          "<a href=\"\(base)/trials/\(trial.number)\">\(trial.number)</a>", trial.state.rawValue,
          HTML.escaped(trial.worker ?? ""),
          "<code>\(HTML.escaped(snapshot.view.network(trial)))</code>",
        ]
      )
    }
    return "<h2>Now</h2>" + HTML.table(["#trial", "state", "worker", "network"], rows)
  }

  // MARK: Trials

  /// How many pages the list of trials has.
  static func pageCount(_ count: Int) -> Int { max(1, (count + rows - 1) / rows) }

  static func trials(
    _ snapshot: DashboardModel.Snapshot, _ shown: [Trial], of count: Int, page number: Int,
    _ selection: TrialSelection
  ) -> String {
    let study = snapshot.view.study
    let base = path(of: study.name)
    let objectives = snapshot.view.history.objectives
    func address(_ selection: TrialSelection, _ page: Int) -> String {
      let query = selection.query()
      return "\(base)/trials?page=\(page)\(query.isEmpty ? "" : "&\(query)")"
    }
    /// A column's title that sorts by it, and the other way round where it does already.
    func title(_ name: String) -> String {
      let isSorted = selection.sort == name
      var other = selection
      other.sort = name
      other.isDescending = isSorted ? !selection.isDescending : false
      let arrow = isSorted ? (selection.isDescending ? " ↓" : " ↑") : ""
      return "<a href=\"\(HTML.escaped(address(other, 1)))\">\(HTML.escaped(name))</a>\(arrow)"
    }
    let table = HTML.table(
      titles: [("", false), (title("number"), true), ("state", false)]
        + objectives.map { (title($0.name), true) }
        + [(title("seconds"), true), ("within", false), ("network or reason", false)],
      shown.map { (nil, cells(of: $0, in: snapshot.view, base)) })
    func link(_ text: String, _ page: Int, _ state: TrialState?) -> (String, String) {
      var other = selection
      other.state = state
      return (text, address(other, page))
    }
    let last = pageCount(count)
    var navigation = [("studies", "/"), (study.name, base), link("all", 1, nil)]
    for one in TrialState.allCases where (snapshot.counts[one] ?? 0) > 0 {
      navigation.append(link("\(one.rawValue) \(snapshot.counts[one] ?? 0)", 1, one))
    }
    if number > 1 { navigation.append(link("← newer", number - 1, selection.state)) }
    navigation.append(("page \(number) of \(last)", ""))
    if number < last { navigation.append(link("older →", number + 1, selection.state)) }
    navigation.append(("CSV", "\(base)/trials.csv"))
    return page(
      "Trials of \(study.name)", events: "\(base)/events",
      filter(selection, study.definition, base)
        + (count == 0
          ? "<p class=\"muted\">none</p>"
          : "<form action=\"\(base)/compare\">\(table)<p><button>compare the chosen ones</button></p>"
            + "</form>"),
      navigation: navigation)
  }

  /// The cells of a trial in the list.
  private static func cells(of trial: Trial, in view: StudyView, _ base: String) -> [String] {
    let objectives = view.history.objectives
    let values = objectives.indices.map { index in
      trial.objectives.map {
        index < $0.count ? HTML.escaped(StudyText.value($0[index], of: objectives[index])) : ""
      } ?? ""
    }
    let text =
      trial.state == .failed
      ? HTML.escaped(trial.reason ?? "") : "<code>\(HTML.escaped(view.network(trial)))</code>"
    let fits = trial.objectives == nil || !view.hasTargets ? "" : view.fits(trial)
    return [
      "<input type=\"checkbox\" name=\"trial\" value=\"\(trial.number)\""
        + " aria-label=\"trial \(trial.number)\">",
      "<a href=\"\(base)/trials/\(trial.number)\">\(trial.number)</a>", trial.state.rawValue,
    ] + values + [
      trial.seconds.map { NumberText.fixed($0, decimals: 1) } ?? "", HTML.escaped(fits), text,
    ]
  }

  /// The form by which trials are filtered; it works without scripts.
  private static func filter(
    _ selection: TrialSelection, _ definition: StudyDefinition, _ base: String
  ) -> String {
    func hidden(_ name: String, _ value: String?) -> String {
      value.map { "<input type=\"hidden\" name=\"\(name)\" value=\"\(HTML.escaped($0))\">" } ?? ""
    }
    var within = ""
    if case .targets(let targets) = definition.goal {
      let options = targets.map { target in
        "<option\(target.name == selection.within ? " selected" : "")>\(HTML.escaped(target.name))</option>"
      }.joined()
      within =
        " <label>within <select name=\"within\"><option value=\"\">any or none</option>\(options)"
        + "</select></label>"
    }
    return
      "<form action=\"\(base)/trials\"><p><label>where <input name=\"where\" size=\"30\" value=\""
      + "\(HTML.escaped(selection.text))\" placeholder=\"error&lt;10,params&lt;50k\"></label>\(within) "
      + hidden("state", selection.state?.rawValue) + hidden("sort", selection.sort)
      + hidden("order", selection.isDescending ? "down" : nil)
      + "<button>filter</button></p></form>"
  }

  /// The trials that are shown side by side.
  static let mostCompared = 8

  static func compare(_ snapshot: DashboardModel.Snapshot, _ trials: [Trial]) -> String {
    let view = snapshot.view
    let base = path(of: view.study.name)
    var rows: [(String?, [String])] = []
    func row(_ name: String, _ values: [String]) {
      rows.append((nil, [HTML.escaped(name)] + values.map(HTML.escaped)))
    }
    row("state", trials.map(\.state.rawValue))
    for (index, objective) in view.history.objectives.enumerated() {
      row(
        objective.name,
        trials.map { trial in
          trial.objectives.map { StudyText.value($0[index], of: objective) } ?? ""
        })
    }
    if view.hasTargets { row("within", trials.map { $0.objectives == nil ? "" : view.fits($0) }) }
    row("took", trials.map { $0.seconds.map(StudyText.duration) ?? "" })
    let differing = view.decisions.filter { decision in
      Set(trials.map { $0.genome[decision.index] }).count > 1
    }
    for decision in differing {
      row(
        decision.name,
        trials.map { trial in
          let choice = trial.genome[decision.index]
          return decision.choices.indices.contains(choice) ? decision.choices[choice] : "\(choice)"
        })
    }
    let heads = trials.map {
      ("<a href=\"\(base)/trials/\($0.number)\">trial \($0.number)</a>", false)
    }
    let same = view.decisions.count - differing.count
    return page(
      "Comparison of trials of \(view.study.name)", events: "\(base)/events",
      HTML.table(titles: [("", false)] + heads, rows)
        + "<p class=\"muted\">\(same) other genes have the same choice in all of them.</p>",
      navigation: [("studies", "/"), (view.study.name, base), ("trials", "\(base)/trials")])
  }

  static func trial(_ snapshot: DashboardModel.Snapshot, _ trial: Trial) -> String {
    let study = snapshot.view.study
    let base = path(of: study.name)
    var entries = [
      ("state", trial.state.rawValue), ("attempt", "\(trial.attempt)"),
      ("created", trial.created.formatted(.iso8601)),
    ]
    if let target = trial.subproblem, snapshot.view.history.targets.indices.contains(target) {
      entries.append(("made for", snapshot.view.history.targets[target]))
    }
    let leads = snapshot.view.leads(trial.number)
    if !leads.isEmpty { entries.append(("best for", leads.joined(separator: ", "))) }
    let fits = snapshot.view.hasTargets ? snapshot.view.fits(trial) : ""
    if !fits.isEmpty { entries.append(("within", fits)) }
    if let worker = trial.worker { entries.append(("worker", worker)) }
    if let seconds = trial.seconds { entries.append(("took", StudyText.duration(seconds))) }
    if let reason = trial.reason { entries.append(("reason", reason)) }
    for (objective, value) in zip(snapshot.view.history.objectives, trial.objectives ?? []) {
      entries.append((objective.name, StudyText.value(value, of: objective)))
    }
    if trial.violation > 0 { entries.append(("violation", "\(trial.violation)")) }
    entries += trial.attributes.filter { $0.key != "log" }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
    entries.append(("genome", "\(trial.genome.values)"))
    var main = HTML.list(entries.map { ($0.0, HTML.escaped($0.1)) })
    if let blocks = snapshot.view.blocks(trial) {
      main += "<h2>Blocks</h2><pre>\(HTML.escaped(blocks.joined(separator: "\n")))</pre>"
    }
    if let log = trial.attributes["log"] {
      main += "<h2>The end of its log</h2><pre>\(HTML.escaped(log))</pre>"
    }
    if let domain = study.definition.networkDomain,
      let network = try? domain.architecture(
        trial.genome, name: "\(study.name), trial \(trial.number)"
      ).network(), let drawing = try? NetworkDrawing(network)
    {
      main +=
        "<h2>Network</h2><div class=\"chart whole\">\(drawing.picture.svg)</div>"
    }
    var navigation = [("studies", "/"), (study.name, base), ("trials", "\(base)/trials")]
    if trial.number > 0 { navigation.append(("← previous", "\(base)/trials/\(trial.number - 1)")) }
    if trial.number + 1 < snapshot.counts.values.reduce(0, +) {
      navigation.append(("next →", "\(base)/trials/\(trial.number + 1)"))
    }
    if study.definition.networkDomain != nil {
      navigation.append(("network file", "\(base)/trials/\(trial.number)/network.yaml"))
    }
    return page("Trial \(trial.number)", events: "\(base)/events", main, navigation: navigation)
  }
}
