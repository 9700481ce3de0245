// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Predicts one objective from a genome: a mean, an effect for each choice of each gene, and one for
/// each pair of choices of two genes, all drawn towards 0 (ridge regression on one-hot features,
/// solved by back-fitting from the last solution).
///
/// It is made for few samples and many predictions: a prediction is a handful of table look-ups, and
/// its error is measured on each new sample before it learns from it.
struct AdditiveModel: Sendable, Codable {
  /// A gene, or two of them, with the start of its effects.
  private struct Group: Sendable, Codable {
    var first: Int
    var second: Int?
    var start: Int
    var size: Int
  }

  let settings: SurrogateSettings
  private let choices: [Int]
  private let groups: [Group]
  private var effects: [Double]
  private var counts: [Double]
  private var mean = 0.0
  private(set) var targets: [Double] = []
  /// For each sample the positions of its effects, flat.
  private var positions: [Int32] = []
  private var fitted = 0
  /// Targets above this count as this; see ``SurrogateSettings/clippedShare``.
  private var cut = Double.infinity
  /// Squared errors of predictions made before learning, and their number, both fading.
  private var squaredError = 0.0
  private var errorWeight = 0.0

  init(genes: [Gene], settings: SurrogateSettings) {
    self.settings = settings
    choices = genes.map(\.choices)
    var groups: [Group] = []
    var start = 0
    for index in genes.indices {
      groups.append(Group(first: index, second: nil, start: start, size: choices[index]))
      start += choices[index]
    }
    if genes.count <= settings.mostPairedGenes {
      for first in genes.indices {
        for second in genes.indices where second > first {
          let size = choices[first] * choices[second]
          groups.append(Group(first: first, second: second, start: start, size: size))
          start += size
        }
      }
    }
    self.groups = groups
    effects = [Double](repeating: 0, count: start)
    counts = [Double](repeating: 0, count: start)
  }

  /// Objectives span orders of magnitude, so the model sees them through asinh: logarithmic above
  /// 0.1 of the scale, linear below, defined for any sign.
  static func transformed(_ value: Double) -> Double { asinh(10 * value) }

  static func restored(_ value: Double) -> Double { sinh(value) / 10 }

  var sampleCount: Int { targets.count }

  /// The standard deviation of the model's errors on samples that it had not seen.
  var deviation: Double {
    guard errorWeight > 0 else { return 1 }
    return (squaredError / errorWeight).squareRoot()
  }

  /// The transformed objective of a genome.
  func prediction(_ genome: Genome) -> Double {
    var sum = mean
    effects.withUnsafeBufferPointer { effects in
      genome.values.withUnsafeBufferPointer { values in
        for group in groups { sum += effects[position(of: group, values)] }
      }
    }
    return sum
  }

  /// How unknown the choices of a genome are, from 0 to 1.
  func novelty(_ genome: Genome) -> Double {
    var sum = 0.0
    for index in choices.indices {
      sum += 1 / (1 + counts[groups[index].start + genome.values[index]])
    }
    return sum / Double(choices.count)
  }

  /// Adds a sample, and fits when 5 % more samples came in since the last fit.
  mutating func add(_ genome: Genome, value: Double) {
    let target = Self.transformed(value)
    if fitted > 0 {
      let error = min(target, cut) - prediction(genome)
      squaredError = squaredError * 0.95 + error * error
      errorWeight = errorWeight * 0.95 + 1
    }
    targets.append(target)
    genome.values.withUnsafeBufferPointer { values in
      for group in groups {
        let place = position(of: group, values)
        counts[place] += 1
        positions.append(Int32(place))
      }
    }
    if Double(targets.count) >= Double(fitted) * 1.05 { fit() }
  }

  @inline(__always)
  private func position(of group: Group, _ values: UnsafeBufferPointer<Int>) -> Int {
    if let second = group.second {
      return group.start + values[group.first] * choices[second] + values[second]
    }
    return group.start + values[group.first]
  }

  private mutating func fit() {
    fitted = targets.count
    let sorted = targets.sorted()
    let last = Double(targets.count - 1)
    cut = sorted[Int((last * (1 - settings.clippedShare)).rounded(.up))]
    let width = groups.count
    var residuals = targets.map { min($0, cut) - mean }
    for sample in residuals.indices {
      var sum = 0.0
      for index in 0..<width { sum += effects[Int(positions[sample * width + index])] }
      residuals[sample] -= sum
    }
    let longest = groups.reduce(0) { max($0, $1.size) }
    var sums = [Double](repeating: 0, count: longest)
    for _ in 0..<settings.passes {
      let shift = residuals.reduce(0, +) / Double(residuals.count)
      mean += shift
      for sample in residuals.indices { residuals[sample] -= shift }
      for (index, group) in groups.enumerated() {
        update(group, index, &residuals, &sums)
      }
    }
  }

  /// Gives the effects of one group what the others leave over, shrunk.
  private mutating func update(
    _ group: Group, _ index: Int, _ residuals: inout [Double], _ sums: inout [Double]
  ) {
    let width = groups.count
    let penalty = group.second == nil ? settings.mainPenalty : settings.pairPenalty
    for place in 0..<group.size { sums[place] = 0 }
    positions.withUnsafeBufferPointer { positions in
      residuals.withUnsafeMutableBufferPointer { residuals in
        for sample in residuals.indices {
          sums[Int(positions[sample * width + index]) - group.start] += residuals[sample]
        }
        for place in 0..<group.size {
          let old = effects[group.start + place]
          let count = counts[group.start + place]
          let new = (sums[place] + count * old) / (count + penalty)
          effects[group.start + place] = new
          sums[place] = new - old
        }
        for sample in residuals.indices {
          residuals[sample] -= sums[Int(positions[sample * width + index]) - group.start]
        }
      }
    }
  }
}
