// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Scores in rows and columns: one row for a class, as a rule.
public struct ScoreTable: Sendable, Hashable {
  /// One line.
  public struct Row: Sendable, Hashable {
    /// What the line is about, such as a class.
    public var name: String
    /// One value a column; nil where it is undefined.
    public var values: [Double?]

    /// A line.
    public init(_ name: String, _ values: [Double?]) {
      self.name = name
      self.values = values
    }
  }

  /// What the names of the rows are, such as `class`.
  public var subject: String
  /// What stands in the columns.
  public var columns: [Metric]
  /// The lines.
  public var rows: [Row]

  /// A table; every row has one value a column.
  public init(subject: String = "class", columns: [Metric], rows: [Row]) {
    precondition(
      rows.allSatisfy { $0.values.count == columns.count }, "a row has one value a column")
    self.subject = subject
    self.columns = columns
    self.rows = rows
  }
}
