// SPDX-License-Identifier: Apache-2.0

/// Finds the names that a user may have meant.
package enum NameDistance {
  /// The Levenshtein distance of two names, ignoring case.
  package static func distance(_ left: String, _ right: String) -> Int {
    distances(left, right).last ?? 0
  }

  /// The names that begin most nearly as `name` does, if that is near: a fifth of its letters, and one
  /// at least; the nearest as a whole first.
  package static func family(of name: String, among names: [String]) -> [String] {
    let starts = names.map { (name: $0, distance: distances(name, $0).min() ?? 0) }
    guard let best = starts.map(\.distance).min(), best <= max(1, name.count / 5),
      best < name.count / 2
    else { return [] }
    return starts.filter { $0.distance == best }.map { ($0.name, distance(name, $0.name)) }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
  }

  /// The distances of a name to all beginnings of another, the empty one first.
  private static func distances(_ left: String, _ right: String) -> [Int] {
    let a = Array(left.lowercased())
    let b = Array(right.lowercased())
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
        diagonal = above
      }
    }
    return row
  }

  /// Up to `limit` names, nearest first, that differ from `name` in less than half of its letters.
  package static func nearest(
    to name: String, among names: some Sequence<String>, limit: Int = 3
  ) -> [String] {
    let bound = max(2, (name.count + 1) / 2)
    return names.map { ($0, distance(name, $0)) }
      .filter { $0.1 < bound }
      .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
      .prefix(limit)
      .map(\.0)
  }

  /// The end of a sentence about an unknown name: the nearest that there is, or all of them.
  package static func hint(for name: String, among names: [String]) -> String {
    // What a file gives for a name may be a book; it is near to nothing.
    let nearest = name.utf8.count > 100 ? [] : Self.nearest(to: name, among: names, limit: 1)
    return nearest.first.map { "; did you mean '\($0)'?" }
      ?? "; there are \(names.joined(separator: ", "))"
  }
}
