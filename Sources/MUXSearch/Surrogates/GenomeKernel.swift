// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How alike genomes are: Π exp(−wᵢ [xᵢ ≠ yᵢ]), with a weight for each gene, and noise.
package struct GenomeKernel: Sendable, Codable, Hashable {
  /// wᵢ: how much it matters that two genomes differ in a gene.
  package private(set) var weights: [Double]
  /// The variance of what no gene explains, over the process's variance.
  package private(set) var noise = GenomeKernel.usualNoise

  /// Samples from which weights are found at most; the latest lie where the search looks.
  static let mostSamples = 128
  private static let usualNoise = 0.03
  /// The steps of one fit, which begins at the weights found before.
  private static let steps = 8

  init(genes: Int) { weights = Array(repeating: Self.usualWeight(genes), count: genes) }

  /// Two random genomes then have a kernel of about 0.1.
  private static func usualWeight(_ genes: Int) -> Double { 3 / Double(max(genes, 1)) }

  /// exp(−wᵢ).
  var factors: [Double] { weights.map { exp(-$0) } }

  /// Moves the weights towards the greatest posterior probability of samples, by steps that follow the sign of
  /// the gradient (Rprop, Riedmiller and Braun 1993), so that no step size has to be chosen.
  ///
  /// - Parameters:
  ///   - genomes: At most ``mostSamples``.
  ///   - targets: Their objectives with mean 0 and deviation 1.
  mutating func fit(_ genomes: ArraySlice<Genome>, _ targets: [Double]) {
    let differences = Differences(Array(genomes))
    var logs = weights.map { log($0) } + [log(noise)]
    var sizes = [Double](repeating: 0.3, count: logs.count)
    var signs = [Double](repeating: 0, count: logs.count)
    for _ in 0..<Self.steps {
      guard let gradient = gradient(differences, targets, logs) else { break }
      for index in logs.indices {
        let sign: Double = gradient[index] > 0 ? 1 : gradient[index] < 0 ? -1 : 0
        let turn = sign * signs[index]
        if turn > 0 { sizes[index] = min(sizes[index] * 1.2, 1) }
        if turn < 0 { sizes[index] = max(sizes[index] * 0.5, 0.01) }
        logs[index] -= sign * sizes[index]
        signs[index] = sign
      }
    }
    weights = logs.dropLast().map { exp(min(max($0, -8), 4)) }
    noise = exp(min(max(logs[logs.count - 1], -7), 1))
  }

  /// The gradient of −log posterior by the logarithms of the weights and the noise; the variance of the
  /// process is the most likely one. Nil where numbers leave the range.
  private func gradient(
    _ differences: Differences, _ targets: [Double], _ logs: [Double]
  ) -> [Double]? {
    let count = targets.count
    let genes = logs.count - 1
    let (weights, noise) = (logs.dropLast().map { exp($0) }, exp(logs[genes]))
    let kernel = differences.kernel(weights)
    var factor = CholeskyFactor()
    for row in 0..<count {
      factor.append(Array(kernel[row * count..<row * count + row]), diagonal: 1 + noise)
    }
    let half = factor.solution(targets)
    let variance = max(half.reduce(0) { $0 + $1 * $1 } / Double(count), 1e-12)
    let dual = factor.transposedSolution(half)
    // K⁻¹ − α αᵀ / s², of which only the rows so far are needed: it is symmetric.
    let inverse = factor.inverse()
    var result = [Double](repeating: 0, count: logs.count)
    var trace = 0.0
    var shares = [Double](repeating: 0, count: count * count)
    for row in 0..<count {
      for column in 0..<row {
        let pull = inverse[row * count + column] - dual[row] * dual[column] / variance
        shares[row * count + column] = pull * kernel[row * count + column]
      }
      trace += inverse[row * count + row] - dual[row] * dual[row] / variance
    }
    let sums = differences.sums(shares)
    for gene in 0..<genes {
      let prior = logs[gene] - log(Self.usualWeight(genes))
      result[gene] = -weights[gene] * sums[gene] + prior
    }
    let prior = (logs[genes] - log(Self.usualNoise)) / (1.5 * 1.5)
    result[genes] = 0.5 * noise * trace + prior
    return result.allSatisfy(\.isFinite) ? result : nil
  }
}

/// In which genes each pair of genomes differs.
private struct Differences {
  let count: Int
  /// The genes in which row and column differ, for the lower triangle, one pair after another.
  private var genes: [Int32] = []
  private var starts: [Int] = [0]
  private let geneCount: Int

  init(_ genomes: [Genome]) {
    count = genomes.count
    geneCount = genomes.first?.values.count ?? 0
    for row in 0..<count {
      for column in 0..<row {
        for gene in 0..<geneCount where genomes[row][gene] != genomes[column][gene] {
          genes.append(Int32(gene))
        }
        starts.append(genes.count)
      }
    }
  }

  /// The lower triangle of the kernel without its diagonal, row by row in a square.
  func kernel(_ weights: [Double]) -> [Double] {
    var values = [Double](repeating: 0, count: count * count)
    var pair = 0
    for row in 0..<count {
      for column in 0..<row {
        var sum = 0.0
        for place in starts[pair]..<starts[pair + 1] { sum += weights[Int(genes[place])] }
        values[row * count + column] = exp(-sum)
        pair += 1
      }
    }
    return values
  }

  /// For each gene the sum of a square's lower triangle over the pairs that differ in it.
  func sums(_ square: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: geneCount)
    var pair = 0
    for row in 0..<count {
      for column in 0..<row {
        let share = square[row * count + column]
        for place in starts[pair]..<starts[pair + 1] { sums[Int(genes[place])] += share }
        pair += 1
      }
    }
    return sums
  }
}
