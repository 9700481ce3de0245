// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import MUXStudies

/// Trials with their objectives in columns.
enum TrialTable {
  /// `lead` is a column before the others, `fits` one that says what a trial lies within.
  static func text(
    _ trials: [Trial], of study: Study, lead: (String, [String])? = nil, fits: [String]? = nil
  ) -> String {
    let objectives = study.definition.objectives
    var table = TextTable(
      (lead.map { [($0.0, .left)] } ?? [])
        + [("TRIAL", .right)] + objectives.map { ($0.name.uppercased(), .right) }
        + (fits == nil ? [] : [("WITHIN", .left)])
        + [(study.definition.grid == nil ? "BLOCKS" : "NETWORK", .left)])
    let recorder = try? StudyRecorder(study.definition)
    for (index, trial) in trials.enumerated() {
      let values = zip(objectives, trial.objectives ?? []).map { StudyText.value($1, of: $0) }
      let record = recorder?.record(trial)
      let blocks =
        if let point = study.definition.grid?.point(of: trial.genome) {
          "\(point.network.name), seed \(point.seed)"
        } else { record?.blocks?.joined(separator: " ") ?? "\(trial.genome.values)" }
      table.append(
        (lead.map { [$0.1[index]] } ?? []) + ["\(trial.number)"] + values
          + (fits.map { [$0[index]] } ?? []) + [blocks])
    }
    return table.text
  }
}
