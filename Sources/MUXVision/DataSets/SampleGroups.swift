// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages

/// The groups of a data set whose samples must stay together, such as the images of each patient.
struct SampleGroups {
  /// A group: its samples, and how many of them are of each class (the last one stands for none).
  private struct Group {
    var members: [Int] = []
    var classes: [Int: Int] = [:]
  }

  /// The groups in the order of their names.
  private let groups: [Group]
  /// The samples of each class.
  private let totals: [Int]
  private let sampleCount: Int

  /// How many divisions are drawn, of which the most even one is taken.
  private static let draws = 100

  /// The groups of a data set; nil where it has none.
  init?(_ data: some ImageDataSet) {
    var byName: [String: Group] = [:]
    var single: [Group] = []
    var totals = [Int](repeating: 0, count: data.classNames.count + 1)
    for index in 0..<data.count {
      let labels = data.target(at: index).classes
      let classes = labels.isEmpty ? [data.classNames.count] : labels
      for label in classes { totals[label] += 1 }
      func add(to group: inout Group) {
        group.members.append(index)
        for label in classes { group.classes[label, default: 0] += 1 }
      }
      if let name = data.group(at: index) {
        add(to: &byName[name, default: Group()])
      } else {
        var own = Group()
        add(to: &own)
        single.append(own)
      }
    }
    guard !byName.isEmpty else { return nil }
    groups =
      byName.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map(\.value) + single
    self.totals = totals
    sampleCount = data.count
  }

  var count: Int { groups.count }

  /// What is said about parts that keep the groups together.
  func division(seed: UInt64) -> String { "divided by group with seed \(seed)" }

  /// The samples of parts that have about the given shares of all samples, of the groups and of each class,
  /// each part in the order of the data set.
  ///
  /// The groups are shuffled and cut into parts, many times, and the most even division is taken. (To put
  /// each group where most is lacking would give all large groups to the largest part.) What the fractions
  /// leave is left out.
  func dealt(into fractions: [Double], seed: UInt64) -> [[Int]] {
    let rest = max(0, 1 - fractions.reduce(0, +))
    let shares = fractions + (rest > 1e-9 ? [rest] : [])
    var best: (parts: [Int], unevenness: Double)?
    for draw in 0..<Self.draws {
      var random = RandomStream(seed: seed, purpose: .split, indices: UInt64(draw))
      let parts = cut(random.permutation(groups.count), shares)
      let unevenness = unevenness(parts, shares)
      if unevenness < best?.unevenness ?? .infinity || best == nil { best = (parts, unevenness) }
    }
    var samples = [[Int]](repeating: [], count: shares.count)
    for (group, part) in zip(groups, best?.parts ?? []) { samples[part] += group.members }
    return samples.prefix(fractions.count).map { $0.sorted() }
  }

  /// The part of each group where they are cut in an order at the shares of the samples.
  private func cut(_ order: [Int], _ shares: [Double]) -> [Int] {
    var parts = [Int](repeating: 0, count: groups.count)
    var (part, seen) = (0, 0)
    var end = shares[0] * Double(sampleCount)
    for group in order {
      let size = groups[group].members.count
      // A group belongs where its middle lies.
      while part < shares.count - 1, Double(seen) + Double(size) / 2 >= end {
        part += 1
        end += shares[part] * Double(sampleCount)
      }
      parts[group] = part
      seen += size
    }
    return parts
  }

  /// How far parts are from their shares of the samples, the groups and the samples of each class: squared
  /// distances over what is expected. Infinite where a part is empty.
  private func unevenness(_ parts: [Int], _ shares: [Double]) -> Double {
    var samples = [Int](repeating: 0, count: shares.count)
    var counts = samples
    var classes = [[Int]](repeating: [Int](repeating: 0, count: totals.count), count: shares.count)
    for (group, part) in zip(groups, parts) {
      counts[part] += 1
      samples[part] += group.members.count
      for (label, count) in group.classes { classes[part][label] += count }
    }
    guard !counts.contains(0) else { return .infinity }
    func distance(_ count: Int, _ share: Double, _ total: Int) -> Double {
      let expected = share * Double(total)
      return (Double(count) - expected) * (Double(count) - expected) / max(expected, 1)
    }
    var sum = 0.0
    for (part, share) in shares.enumerated() {
      sum += distance(samples[part], share, sampleCount)
      sum += distance(counts[part], share, groups.count)
      for (label, total) in totals.enumerated() where total > 0 {
        sum += distance(classes[part][label], share, total)
      }
    }
    return sum
  }
}
