// SPDX-License-Identifier: Apache-2.0

/// How good a set of points is; all objectives are to be small.
public enum Indicators {
  /// The volume that the points dominate below `reference`: larger is better. Points that are not
  /// below it in every objective count for nothing. Exact, for any number of objectives (the exclusive
  /// volumes of While, Bradstreet and Barone 2012).
  public static func hypervolume(_ points: [[Double]], reference: [Double]) -> Double {
    let inside = points.filter { zip($0, reference).allSatisfy { $0 < $1 } }
    // Starting with the worst in the last objective keeps the limited sets small.
    let front = distinct(inside).sorted { left, right in
      (left.last ?? 0, left.first ?? 0) > (right.last ?? 0, right.first ?? 0)
    }
    return volume(front, reference)
  }

  /// For each sub-problem the least g of the points (objectives over their scales) and where it
  /// stands; nil if there are none.
  public static func best(
    _ points: [[Double]], _ decomposition: Decomposition
  ) -> [(index: Int, value: Double)]? {
    guard !points.isEmpty else { return nil }
    return (0..<decomposition.count).map { subproblem in
      var best = (index: 0, value: Double.infinity)
      for (index, point) in points.enumerated() {
        let value = decomposition.value(point, subproblem)
        if value < best.value { best = (index, value) }
      }
      return best
    }
  }

  /// The points of the front, each once.
  private static func distinct(_ points: [[Double]]) -> [[Double]] {
    Array(Set(NonDominatedSorting.front(points).map { points[$0] }))
  }

  private static func volume(_ front: [[Double]], _ reference: [Double]) -> Double {
    if reference.count == 1 {
      return front.map { reference[0] - $0[0] }.max() ?? 0
    }
    if reference.count == 2 { return area(front, reference) }
    var sum = 0.0
    for (index, point) in front.enumerated() {
      let box = zip(reference, point).reduce(1) { $0 * ($1.0 - $1.1) }
      let limited = front[(index + 1)...].map { zip($0, point).map { max($0, $1) } }
      sum += box - volume(distinct(limited), reference)
    }
    return sum
  }

  private static func area(_ front: [[Double]], _ reference: [Double]) -> Double {
    var sum = 0.0
    var height = reference[1]
    for point in front.sorted(by: { ($0[0], $0[1]) < ($1[0], $1[1]) }) where point[1] < height {
      sum += (reference[0] - point[0]) * (height - point[1])
      height = point[1]
    }
    return sum
  }
}
