// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Predicts one objective from a genome by a Gaussian process: k(x, y) = Π exp(−wᵢ [xᵢ ≠ yᵢ]) over the
/// genes, so that choices act together in every order, not only in pairs as in ``AdditiveModel``.
///
/// The weights are those of the greatest posterior probability (``GenomeKernel``), found anew when the samples
/// have grown by a share; in between a sample costs a row of the Cholesky factor. Beyond
/// ``mostSamples`` the best and the latest are kept, so that an ask does not grow with the study.
package struct GenomeProcess: Sendable {
  /// What cannot be computed again from the samples.
  package struct State: Sendable, Codable, Hashable {
    /// The kernel found last.
    package var kernel: GenomeKernel
    /// How many samples there were then.
    var fitted = 0
    /// How often that was.
    var fits = 0
    /// Squared errors of predictions made before learning, and their number, both fading.
    var squaredError = 0.0
    var errorWeight = 0.0
  }

  /// The most samples that predictions rest on.
  static let mostSamples = 400
  /// Fewer samples than these say nothing of the weights.
  static let leastSamples = 10
  /// The share by which samples grow until the weights are found anew.
  static let growth = 0.15

  package private(set) var state: State
  private let choices: [Int]
  private let clippedShare: Double
  private var genomes: [Genome] = []
  private var targets: [Double] = []
  /// Targets above this count as this; ``mean`` and ``scale`` make the rest standard.
  private var cut = Double.infinity
  private var mean = 0.0
  private var scale = 1.0
  /// The samples that predictions rest on.
  private var active: GenomeColumns
  private var factor = CholeskyFactor()
  /// L⁻¹ z and K⁻¹ z of the standard targets z.
  private var half: [Double] = []
  private var dual: [Double] = []
  /// The variance of the process in units of the standard targets.
  private var variance = 1.0

  /// - Parameters:
  ///   - genes: The genes.
  ///   - clippedShare: See ``SurrogateSettings/clippedShare``.
  package init(genes: [Gene], clippedShare: Double) {
    choices = genes.map(\.choices)
    self.clippedShare = clippedShare
    state = State(kernel: GenomeKernel(genes: genes.count))
    active = GenomeColumns(genes: genes.count)
  }

  /// The process that was saved, of the samples that it had then.
  package init(
    genes: [Gene], clippedShare: Double, state: State, genomes: [Genome], targets: [Double]
  ) {
    self.init(genes: genes, clippedShare: clippedShare)
    self.state = state
    guard state.fitted > 0, state.fitted <= genomes.count,
      state.kernel.weights.count == genes.count
    else {
      self.state = State(kernel: GenomeKernel(genes: genes.count))
      for (genome, target) in zip(genomes, targets) { add(genome, target: target) }
      return
    }
    self.genomes = Array(genomes.prefix(state.fitted))
    self.targets = Array(targets.prefix(state.fitted))
    prepare()
    for index in state.fitted..<genomes.count {
      self.genomes.append(genomes[index])
      self.targets.append(targets[index])
      append(index)
    }
    solve()
  }

  /// How many samples it has.
  package var sampleCount: Int { targets.count }

  /// Whether it predicts.
  package var isFitted: Bool { state.fits > 0 }

  /// The standard deviation of the errors on samples that it had not seen.
  package var deviation: Double {
    guard state.errorWeight > 0 else { return .infinity }
    return (state.squaredError / state.errorWeight).squareRoot()
  }

  /// The transformed objective of a genome, and the standard deviation of what is not known of it.
  ///
  /// That is the deviation given the nearest sample alone, an upper bound of the process's own, which would
  /// cost a triangular solution for each genome.
  package func prediction(_ genome: Genome) -> (mean: Double, deviation: Double) {
    let (sum, nearest) = active.products(with: genome, state.kernel.factors, dual)
    let share = max(1 - nearest * nearest / (1 + state.kernel.noise), 0)
    return (mean + scale * sum, scale * (variance * share).squareRoot())
  }

  /// The deviation of what is not known of a genome's objective.
  package func deviation(of genome: Genome) -> Double {
    let solved = factor.solution(active.kernel(with: genome, state.kernel.factors))
    let share = max(1 - solved.reduce(0) { $0 + $1 * $1 }, 0)
    return scale * (variance * share).squareRoot()
  }

  /// Adds a sample.
  package mutating func add(_ genome: Genome, target: Double) {
    if isFitted {
      let error = min(target, cut) - prediction(genome).mean
      state.squaredError = state.squaredError * 0.95 + error * error
      state.errorWeight = state.errorWeight * 0.95 + 1
    }
    genomes.append(genome)
    targets.append(target)
    let pause = max(1, Int((Self.growth * Double(state.fitted)).rounded(.up)))
    if targets.count >= Self.leastSamples, targets.count - state.fitted >= pause {
      fit()
    } else if isFitted {
      append(targets.count - 1)
      solve()
    }
  }

  private mutating func fit() {
    state.fitted = targets.count
    state.fits += 1
    standardize()
    let recent = max(0, targets.count - GenomeKernel.mostSamples)..<targets.count
    state.kernel.fit(genomes[recent], targets[recent].map(standard))
    prepare()
    solve()
  }

  /// Where the best part of the targets lies, and how far it spreads.
  private mutating func standardize() {
    let ordered = targets.sorted()
    cut = ordered[Int((Double(ordered.count - 1) * (1 - clippedShare)).rounded(.up))]
    let clipped = targets.map { min($0, cut) }
    mean = clipped.reduce(0, +) / Double(clipped.count)
    let squares = clipped.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    scale = max((squares / Double(clipped.count)).squareRoot(), 1e-9)
  }

  private func standard(_ target: Double) -> Double { (min(target, cut) - mean) / scale }

  /// Factorises the kernel of the samples at hand.
  private mutating func prepare() {
    standardize()
    active = GenomeColumns(genes: choices.count)
    factor = CholeskyFactor()
    half = []
    for index in chosen() { append(index) }
    let count = Double(half.count)
    variance = max(half.reduce(0) { $0 + $1 * $1 } / count, 0.05)
  }

  /// The samples that predictions rest on: all, or the best half and the latest of the others.
  private func chosen() -> [Int] {
    guard targets.count > Self.mostSamples else { return Array(targets.indices) }
    let best = targets.indices.sorted { (targets[$0], $0) < (targets[$1], $1) }
      .prefix(Self.mostSamples / 2)
    let kept = Set(best)
    let latest = targets.indices.reversed().lazy.filter { !kept.contains($0) }
      .prefix(Self.mostSamples / 2)
    return (best + latest).sorted()
  }

  private mutating func append(_ index: Int) {
    let row = active.kernel(with: genomes[index], state.kernel.factors)
    let solved = factor.append(row, diagonal: 1 + state.kernel.noise)
    active.append(genomes[index])
    var rest = standard(targets[index])
    for place in half.indices { rest -= solved[place] * half[place] }
    half.append(rest / factor.lastDiagonal)
  }

  private mutating func solve() { dual = factor.transposedSolution(half) }
}
