// SPDX-License-Identifier: Apache-2.0

/// Pareto ranks and crowding of points that are to be small in every objective.
public enum NonDominatedSorting {
  /// Whether `a` is nowhere above `b` and somewhere below it.
  @inline(__always)
  public static func dominates(_ a: [Double], _ b: [Double]) -> Bool {
    var isBelow = false
    for index in a.indices {
      if a[index] > b[index] { return false }
      if a[index] < b[index] { isBelow = true }
    }
    return isBelow
  }

  /// The positions of points that no other dominates, in order; of equal points all are kept.
  /// O(n f) for a front of f points.
  public static func front(_ points: [[Double]]) -> [Int] {
    var kept: [Int] = []
    // In lexicographic order no later point dominates an earlier one.
    for index in sorted(points) {
      if !kept.contains(where: { dominates(points[$0], points[index]) }) { kept.append(index) }
    }
    return kept.sorted()
  }

  /// The positions of all points, front by front.
  public static func fronts(_ points: [[Double]]) -> [[Int]] {
    var fronts: [[Int]] = []
    for index in sorted(points) {
      // Searching from the last front finds the first one that has no dominator (Jensen's rule needs
      // the lexicographic order).
      var low = 0
      var high = fronts.count
      while low < high {
        let middle = (low + high) / 2
        if fronts[middle].contains(where: { dominates(points[$0], points[index]) }) {
          low = middle + 1
        } else {
          high = middle
        }
      }
      if low == fronts.count { fronts.append([]) }
      fronts[low].append(index)
    }
    return fronts
  }

  /// For each point of a front the sum over objectives of the gap between its neighbours, over the
  /// range; infinite at the ends.
  public static func crowding(_ points: [[Double]]) -> [Double] {
    var result = [Double](repeating: 0, count: points.count)
    guard let first = points.first else { return result }
    for objective in first.indices {
      let order = points.indices.sorted {
        (points[$0][objective], $0) < (points[$1][objective], $1)
      }
      let lowest = points[order[0]][objective]
      let range = points[order[order.count - 1]][objective] - lowest
      result[order[0]] = .infinity
      result[order[order.count - 1]] = .infinity
      guard range > 0, order.count > 2 else { continue }
      for place in 1..<(order.count - 1) {
        let gap = points[order[place + 1]][objective] - points[order[place - 1]][objective]
        result[order[place]] += gap / range
      }
    }
    return result
  }

  private static func sorted(_ points: [[Double]]) -> [Int] {
    points.indices.sorted { left, right in
      for (a, b) in zip(points[left], points[right]) where a != b { return a < b }
      return left < right
    }
  }
}
