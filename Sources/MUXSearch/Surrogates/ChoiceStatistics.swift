// SPDX-License-Identifier: Apache-2.0

/// What effects of choices are found from: how often each choice was tried, alone and beside each other one,
/// and the sums of the objectives over it. Adding a network takes a time that does not depend on those before.
package struct ChoiceStatistics: Sendable, Hashable {
  /// The number of choices of each gene.
  package let choices: [Int]
  /// How many networks were added.
  package private(set) var count = 0

  /// Where the choices of each gene begin.
  let starts: [Int]
  /// How many choices all genes have.
  let width: Int
  /// How often a row's choice was tried beside a column's; on the diagonal how often it was tried.
  private var together: [Int32]
  /// The first network's values, which are taken off all others, so that sums of squares stay exact.
  private var origin: [Double] = []
  /// For each objective the sum over each choice.
  private var sums: [[Double]]
  private var totals: [Double]
  private var squares: [Double]

  /// Nothing yet.
  ///
  /// - Parameters:
  ///   - choices: The number of choices of each gene.
  ///   - objectives: How many there are.
  package init(choices: [Int], objectives: Int) {
    self.choices = choices
    starts = choices.indices.map { choices[..<$0].reduce(0, +) }
    width = choices.reduce(0, +)
    together = [Int32](repeating: 0, count: width * width)
    sums = (0..<objectives).map { [width] _ in [Double](repeating: 0, count: width) }
    totals = [Double](repeating: 0, count: objectives)
    squares = totals
  }

  /// Adds a network with its objectives; one that is not of these genes, or has another number of values,
  /// is passed over.
  package mutating func add(_ genome: Genome, values: [Double]) {
    guard genome.values.count == choices.count, values.count == totals.count,
      zip(genome.values, choices).allSatisfy({ $0 >= 0 && $0 < $1 })
    else { return }
    if count == 0 { origin = values }
    count += 1
    let places = zip(starts, genome.values).map { $0 + $1 }
    together.withUnsafeMutableBufferPointer { together in
      for row in places {
        for column in places { together[row * width + column] += 1 }
      }
    }
    for objective in values.indices {
      let value = values[objective] - origin[objective]
      totals[objective] += value
      squares[objective] += value * value
      for place in places { sums[objective][place] += value }
    }
  }

  /// How often a choice of a gene was tried.
  package func count(ofGene gene: Int, choice: Int) -> Int {
    pair(starts[gene] + choice, starts[gene] + choice)
  }

  @inline(__always)
  func pair(_ row: Int, _ column: Int) -> Int { Int(together[row * width + column]) }

  func variance(of objective: Int) -> Double {
    let mean = totals[objective] / Double(count)
    return max(0, squares[objective] / Double(count) - mean * mean)
  }

  /// The sum of an objective less its mean over a choice.
  func centered(_ objective: Int, _ place: Int) -> Double {
    sums[objective][place] - totals[objective] / Double(count) * Double(pair(place, place))
  }
}
