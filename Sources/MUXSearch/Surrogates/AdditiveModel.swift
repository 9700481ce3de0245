// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Predicts one objective from a genome: a mean, an effect for each choice of each gene, and one for
/// each pair of choices of two genes, all drawn towards 0 (ridge regression on one-hot features,
/// solved by back-fitting from the last solution).
///
/// It is made for few samples and many predictions: a prediction is a handful of table look-ups, and
/// its error is measured on each new sample before it learns from it.
package struct AdditiveModel: Sendable, Codable {
  /// A gene, or two of them, with the start of its effects. The place of a genome's effect is
  /// `start + values[first] * step + values[second]`; for one gene both are the same and `step` is 0.
  private struct Group: Sendable, Codable {
    var first: Int
    var second: Int
    var step: Int
    var start: Int
    var size: Int

    var isPair: Bool { step > 0 }

    @inline(__always)
    func place(of values: UnsafeBufferPointer<Int>) -> Int {
      start + values[first] * step + values[second]
    }
  }

  package let settings: SurrogateSettings
  private let groups: [Group]
  private let geneCount: Int
  private var effects: [Double]
  private var counts: [Double]
  /// 1 / (1 + count) for the effects of single genes.
  private var novelties: [Double]
  private var mean = 0.0
  private(set) var targets: [Double] = []
  /// The same, the least first.
  private var ordered: [Double] = []
  /// For each group the places of the samples' effects.
  private var places: [[Int32]]
  private var fitted = 0
  /// How often effects were fitted; predictions stay as they are while this does.
  package private(set) var fits = 0
  /// Targets above this count as this; see ``SurrogateSettings/clippedShare``.
  private var cut = Double.infinity
  /// Squared errors of predictions made before learning, and their number, both fading.
  private var squaredError = 0.0
  private var errorWeight = 0.0

  package init(genes: [Gene], settings: SurrogateSettings) {
    self.settings = settings
    geneCount = genes.count
    var groups: [Group] = []
    var start = 0
    for index in genes.indices {
      let size = genes[index].choices
      groups.append(Group(first: index, second: index, step: 0, start: start, size: size))
      start += size
    }
    if genes.count <= settings.mostPairedGenes {
      for first in genes.indices {
        for second in genes.indices where second > first {
          let step = genes[second].choices
          let size = genes[first].choices * step
          groups.append(Group(first: first, second: second, step: step, start: start, size: size))
          start += size
        }
      }
    }
    self.groups = groups
    effects = [Double](repeating: 0, count: start)
    counts = [Double](repeating: 0, count: start)
    novelties = [Double](repeating: 1, count: groups.prefix(genes.count).reduce(0) { $0 + $1.size })
    places = groups.map { _ in [] }
  }

  /// Objectives span orders of magnitude, so the model sees them through asinh: logarithmic above
  /// 0.1 of the scale, linear below, defined for any sign.
  package static func transformed(_ value: Double) -> Double { asinh(10 * value) }

  @inline(__always)
  package static func restored(_ value: Double) -> Double {
    let power = exp(value)  // sinh in less time; what it rounds off is nothing here
    return (power - 1 / power) / 20
  }

  /// The standard deviation of the model's errors on samples that it had not seen.
  package var deviation: Double {
    guard errorWeight > 0 else { return 1 }
    return (squaredError / errorWeight).squareRoot()
  }

  /// The transformed objective of a genome.
  package func prediction(_ genome: Genome) -> Double {
    var sum = mean
    effects.withUnsafeBufferPointer { effects in
      groups.withUnsafeBufferPointer { groups in
        genome.values.withUnsafeBufferPointer { values in
          for group in groups { sum += effects[group.place(of: values)] }
        }
      }
    }
    return sum
  }

  /// How unknown the choices of a genome are, from 0 to 1.
  package func novelty(_ genome: Genome) -> Double {
    var sum = 0.0
    novelties.withUnsafeBufferPointer { novelties in
      groups.withUnsafeBufferPointer { groups in
        for index in 0..<geneCount {
          sum += novelties[groups[index].start + genome.values[index]]
        }
      }
    }
    return sum / Double(geneCount)
  }

  /// Adds a sample, and fits when enough samples came in since the last fit.
  package mutating func add(_ genome: Genome, value: Double) {
    let target = Self.transformed(value)
    if fitted > 0 {
      let error = min(target, cut) - prediction(genome)
      squaredError = squaredError * 0.95 + error * error
      errorWeight = errorWeight * 0.95 + 1
    }
    targets.append(target)
    ordered.insert(target, at: ordered.place(of: target))
    genome.values.withUnsafeBufferPointer { values in
      for (index, group) in groups.enumerated() {
        let place = group.place(of: values)
        counts[place] += 1
        if index < geneCount { novelties[place] = 1 / (1 + counts[place]) }
        places[index].append(Int32(place))
      }
    }
    if targets.count - fitted >= settings.pause(after: fitted) { fit() }
  }

  /// The model without the samples, which a search keeps anyway; see ``resume(_:values:)``.
  var withoutSamples: AdditiveModel {
    var model = self
    model.targets = []
    model.ordered = []
    model.places = groups.map { _ in [] }
    return model
  }

  /// Gives a model that was kept by ``withoutSamples`` its samples back.
  mutating func resume(_ genomes: [Genome], values: [Double]) {
    guard targets.isEmpty, genomes.count == values.count else { return }
    targets = values.map(Self.transformed)
    ordered = targets.sorted()
    for (index, group) in groups.enumerated() {
      places[index] = genomes.map { genome in
        Int32(genome.values.withUnsafeBufferPointer { group.place(of: $0) })
      }
    }
  }

  private mutating func fit() {
    fitted = targets.count
    fits += 1
    let last = Double(targets.count - 1)
    cut = ordered[Int((last * (1 - settings.clippedShare)).rounded(.up))]
    var residuals = targets.map { min($0, cut) - mean }
    for index in groups.indices {
      subtract(effects, from: &residuals, at: places[index], offset: 0)
    }
    let longest = groups.reduce(0) { max($0, $1.size) }
    var sums = [Double](repeating: 0, count: longest)
    // How the effects of the group before changed. That is taken off the residuals together with the
    // sums of the next group, so that a group costs one pass over the samples.
    var changes = [Double](repeating: 0, count: longest)
    for _ in 0..<settings.passes {
      let shift = residuals.reduce(0, +) / Double(residuals.count)
      mean += shift
      for sample in residuals.indices { residuals[sample] -= shift }
      for place in changes.indices { changes[place] = 0 }
      for index in groups.indices {
        update(index, after: max(index - 1, 0), &residuals, &changes, &sums)
      }
      let final = groups.count - 1
      subtract(changes, from: &residuals, at: places[final], offset: groups[final].start)
    }
  }

  private func subtract(
    _ values: [Double], from residuals: inout [Double], at places: [Int32], offset: Int
  ) {
    places.withUnsafeBufferPointer { places in
      values.withUnsafeBufferPointer { values in
        residuals.withUnsafeMutableBufferPointer { residuals in
          for sample in residuals.indices {
            residuals[sample] -= values[Int(places[sample]) - offset]
          }
        }
      }
    }
  }

  /// Gives the effects of one group what the others leave over, shrunk.
  private mutating func update(
    _ index: Int, after previous: Int, _ residuals: inout [Double], _ changes: inout [Double],
    _ sums: inout [Double]
  ) {
    let group = groups[index]
    let oldStart = groups[previous].start
    let penalty = group.isPair ? settings.pairPenalty : settings.mainPenalty
    for place in 0..<group.size { sums[place] = 0 }
    places[index].withUnsafeBufferPointer { own in
      places[previous].withUnsafeBufferPointer { old in
        changes.withUnsafeBufferPointer { changes in
          sums.withUnsafeMutableBufferPointer { sums in
            residuals.withUnsafeMutableBufferPointer { residuals in
              for sample in residuals.indices {
                let rest = residuals[sample] - changes[Int(old[sample]) - oldStart]
                residuals[sample] = rest
                sums[Int(own[sample]) - group.start] += rest
              }
            }
          }
        }
      }
    }
    for place in 0..<group.size {
      let old = effects[group.start + place]
      let count = counts[group.start + place]
      let new = (sums[place] + count * old) / (count + penalty)
      effects[group.start + place] = new
      changes[place] = new - old
    }
  }
}

extension Array where Element == Double {
  /// The place where a value keeps an array in order that has the least first.
  fileprivate func place(of value: Double) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
