// SPDX-License-Identifier: Apache-2.0

/// Where a number of a table or figure comes from. The three are never shown without their mark.
public enum ValueSource: Sendable, Hashable {
  /// Computed when the table was asked for.
  case computed
  /// Measured by a run before, kept under `results/`, with the command that made it.
  case measured(command: String)
  /// Printed in the paper, with the place.
  case quoted(place: String)
  /// Could be measured by a run that has not happened.
  case notRun

  /// The name in CSV and JSON.
  public var name: String {
    switch self {
    case .computed: "computed"
    case .measured: "measured"
    case .quoted: "quoted"
    case .notRun: "not run"
    }
  }

  /// The letter behind a number.
  public var mark: String {
    switch self {
    case .computed: "ᶜ"
    case .measured: "ʳ"
    case .quoted: "ᵖ"
    case .notRun: ""
    }
  }

  /// The command or the place.
  public var origin: String? {
    switch self {
    case .computed, .notRun: nil
    case .measured(let command): command
    case .quoted(let place): place
    }
  }
}

/// A cell of a table.
public struct ReportValue: Sendable, Hashable {
  /// As it is printed.
  public var text: String
  /// The value as a number; nil for texts and for what was not run.
  public var number: Double?
  /// Where it comes from; nil for names and empty cells.
  public var source: ValueSource?

  /// A cell.
  public init(_ text: String, number: Double? = nil, source: ValueSource? = nil) {
    self.text = text
    self.number = number
    self.source = source
  }

  /// An empty cell.
  public static let none = ReportValue("–")
  /// A number that a run would give.
  public static let notRun = ReportValue("not run", source: .notRun)
}
