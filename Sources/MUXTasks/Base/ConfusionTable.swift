// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// How often each class was taken for each, with their names: readable as text.
public struct ConfusionTable: Sendable, Hashable {
  /// The classes.
  public let names: [String]
  /// How many images of class i (row) were taken for class j (column).
  public let counts: [[Int]]

  /// A table; there is a row and a column for each class.
  public init(names: [String], counts: [[Int]]) {
    precondition(
      counts.count == names.count && counts.allSatisfy { $0.count == names.count },
      "a confusion table has a row and a column for each class")
    self.names = names.map(\.printable)
    self.counts = counts
  }

  /// What one class was most often taken for, the most frequent first.
  public var mistakes: [(label: Int, prediction: Int, count: Int)] {
    var found: [(label: Int, prediction: Int, count: Int)] = []
    for (label, row) in counts.enumerated() {
      for (prediction, count) in row.enumerated() where count > 0 && prediction != label {
        found.append((label, prediction, count))
      }
    }
    return found.sorted {
      ($1.count, $0.label, $0.prediction) < ($0.count, $1.label, $1.prediction)
    }
  }

  /// The matrix as text where it fits into so many columns, else the most frequent mistakes.
  ///
  /// Rows are the true classes, columns what they were taken for, numbered as the rows are; a dot stands
  /// for zero.
  public func text(width: Int, limit: Int = 20) -> String {
    let numbers = names.indices.map { "\($0 + 1)" }
    let cell = max(
      numbers.last?.count ?? 1, counts.joined().lazy.map { "\($0)".count }.max() ?? 1)
    let head = numbers.last?.count ?? 1
    let room = width - head - 1 - names.count * (cell + 1)
    guard room >= 8, names.count <= 60 else { return listed(limit) }
    let label = min(names.map(\.count).max() ?? 0, room)
    func left(_ text: String, _ count: Int) -> String {
      text.count > count
        ? String(text.prefix(count - 1)) + "…"
        : text + String(repeating: " ", count: count - text.count)
    }
    func right(_ text: String, _ count: Int) -> String {
      String(repeating: " ", count: max(count - text.count, 0)) + text
    }
    let top =
      String(repeating: " ", count: head + 1 + label)
      + numbers.map { " " + right($0, cell) }.joined()
    let rows = names.indices.map { row in
      right(numbers[row], head) + " " + left(names[row], label)
        + counts[row].map { " " + right($0 == 0 ? "·" : "\($0)", cell) }.joined()
    }
    return ([top] + rows).joined(separator: "\n")
  }

  private func listed(_ limit: Int) -> String {
    let all = mistakes
    guard !all.isEmpty else { return "no image was taken for another class" }
    let lines = all.prefix(limit).map { mistake in
      "\(mistake.count) of \(counts[mistake.label].reduce(0, +)) \(names[mistake.label]) taken for"
        + " \(names[mistake.prediction])"
    }
    let rest = all.count - lines.count
    return (lines + (rest > 0 ? ["… and \(rest) other kinds of mistake"] : [])).joined(
      separator: "\n")
  }
}
