// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

@Suite struct SurrogateTests {
  private static let genes = (0..<4).map { Gene("g\($0)", choices: 3) }

  private static func genomes(_ count: Int, seed: UInt64) -> [Genome] {
    var random = SearchRandom(seed: seed, purpose: "surrogate")
    return (0..<count).map { _ in Genome(genes.map { random.below($0.choices) }) }
  }

  /// An effect of each gene, and one of two genes together.
  private static func value(_ genome: Genome) -> Double {
    let single = [0.1, 0.2, 0.05, 0.15].enumerated().reduce(0.3) {
      $0 + $1.element * Double(genome[$1.offset])
    }
    return single + (genome[0] == 2 && genome[3] == 0 ? 0.4 : 0)
  }

  @Test("One gene: the effects are the means of its choices, drawn to 0 by the penalty")
  func byHand() {
    var settings = SurrogateSettings()
    settings.clippedShare = 0
    settings.passes = 200
    settings.mainPenalty = 2
    var model = AdditiveModel(genes: [Gene("g", choices: 2)], settings: settings)
    for value in [1.0, 1, 1, 3] {
      model.add([value == 3 ? 1 : 0], value: AdditiveModel.restored(value))
    }
    // Minimise Σ (y − m − e)² + 2 Σ e²: e₀ = 3 (1 − m) / 5, e₁ = (3 − m) / 3, and the residuals sum to
    // 0, so 3 (1 − m) 2/5 + (3 − m) 2/3 = 0 and m = 1.714286.
    let mean = (1.2 + 2) / (1.2 + 2.0 / 3)
    #expect(abs(model.prediction([0]) - (mean + 3 * (1 - mean) / 5)) < 1e-6)
    #expect(abs(model.prediction([1]) - (mean + (3 - mean) / 3)) < 1e-6)
  }

  @Test("Single effects and pairs are learned; the measured deviation tells how well")
  func learns() {
    var settings = SurrogateSettings()
    settings.clippedShare = 0
    var model = AdditiveModel(genes: Self.genes, settings: settings)
    for genome in Self.genomes(300, seed: 1) { model.add(genome, value: Self.value(genome)) }
    var squares = 0.0
    let fresh = Self.genomes(100, seed: 2)
    for genome in fresh {
      let error =
        model.prediction(genome) - AdditiveModel.transformed(Self.value(genome))
      squares += error * error
    }
    // Against predicting the mean; what is left is that asinh bends the sum of the effects.
    let targets = fresh.map { AdditiveModel.transformed(Self.value($0)) }
    let mean = targets.reduce(0, +) / 100
    let spread = (targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100).squareRoot()
    let deviation = (squares / 100).squareRoot()
    #expect(deviation < 0.15 * spread, "\(deviation) of \(spread)")
    #expect(abs(model.deviation - deviation) < 0.05 * spread, "\(model.deviation)")
  }

  @Test("Fitting by passes ends at the solution of the linear equations")
  func directSolution() {
    var settings = SurrogateSettings()
    settings.clippedShare = 0
    settings.passes = 3000
    let samples = Self.genomes(40, seed: 3)
    settings.growth = 0  // fits at each sample, so at the last one too
    var model = AdditiveModel(genes: Self.genes, settings: settings)
    for genome in samples { model.add(genome, value: Self.value(genome)) }
    let solution = Self.ridge(samples, settings)
    for genome in Self.genomes(50, seed: 8) {
      let expected = Self.features(genome).reduce(0) { $0 + solution[$1] }
      #expect(abs(model.prediction(genome) - expected) < 1e-6)
    }
  }

  /// The places of a genome's features: 0 for the mean, then genes, then pairs.
  private static func features(_ genome: Genome) -> [Int] {
    var places = [0] + (0..<4).map { 1 + 3 * $0 + genome[$0] }
    var start = 13
    for first in 0..<4 {
      for second in (first + 1)..<4 {
        places.append(start + 3 * genome[first] + genome[second])
        start += 9
      }
    }
    return places
  }

  /// Ridge regression by Gaussian elimination of its normal equations.
  private static func ridge(_ samples: [Genome], _ settings: SurrogateSettings) -> [Double] {
    let count = 13 + 6 * 9
    var rows = [[Double]](repeating: [Double](repeating: 0, count: count + 1), count: count)
    for place in 1..<count {
      rows[place][place] = place < 13 ? settings.mainPenalty : settings.pairPenalty
    }
    for genome in samples {
      for place in features(genome) {
        for other in features(genome) { rows[place][other] += 1 }
        rows[place][count] += AdditiveModel.transformed(value(genome))
      }
    }
    for pivot in 0..<count {
      for row in 0..<count where row != pivot {
        let factor = rows[row][pivot] / rows[pivot][pivot]
        for column in pivot...count { rows[row][column] -= factor * rows[pivot][column] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }

  @Test(
    "The expected gain is that of a plain five-point sum, and the best are kept in order",
    arguments: SurrogateSettings.Kind.allCases)
  func expectedGain(kind: SurrogateSettings.Kind) throws {
    let objectives = [Objective("error", scale: 2), Objective("cost", scale: 10)]
    let decomposition = try Decomposition(
      .targets([ReferenceTarget("t", ["error": 1, "cost": 4])]), objectives: objectives)
    var settings = SurrogateSettings()
    settings.kind = kind
    var model = ObjectiveModel(genes: Self.genes, settings: settings)
    for genome in Self.genomes(30, seed: 4) { model.add(genome, value: Self.value(genome)) }
    let best = 0.75
    let boldness = 0.7
    func cost(_ genome: Genome) -> Double { Double(genome.values.reduce(1, +)) }
    let nodes = [
      (-2.856970013872806, 0.01125741132772071), (-1.355626179974266, 0.2220759220056126),
      (0, 0.5333333333333333), (1.355626179974266, 0.2220759220056126),
      (2.856970013872806, 0.01125741132772071),
    ]
    func gain(_ genome: Genome) -> Double {
      let effects = model.additive
      let mean =
        kind == .effects ? effects.prediction(genome) : model.process.prediction(genome).mean
      let spread =
        kind == .effects
        ? (1 + effects.novelty(genome)).squareRoot() * boldness * effects.deviation
        : model.process.deviation(of: genome)
      return nodes.reduce(0) { sum, node in
        let error = AdditiveModel.restored(mean + node.0 * spread)
        let value = decomposition.value([error, cost(genome) / 10], 0)
        return sum + node.1 * max(0, best - value)
      }
    }
    var search = ExpectedGain(
      5, after: [], of: decomposition, subproblem: 0, best: best, objectives: objectives,
      models: [model, nil], boldness: boldness)
    let all = (0..<81).map { index in
      Genome([index / 27, index / 9 % 3, index / 3 % 3, index % 3])
    }
    let most = all.max { gain($0) < gain($1) }
    let taboo = try #require(most)
    for genome in all + all {
      search.consider(genome, known: [.nan, cost(genome)]) { genome != taboo }
    }
    let expected = all.filter { $0 != taboo }.map(gain).sorted(by: >).prefix(5)
    #expect(expected.allSatisfy { $0 > 0 })
    for (promise, gain) in zip(search.promises, expected) {
      #expect(abs(promise.gain - gain) < 1e-12)
    }
    #expect(Set(search.promises.map(\.genome)).count == 5)
  }

  @Test("Where nothing promises a gain, the nearest networks are kept")
  func noGain() throws {
    let objectives = [Objective("error", scale: 1), Objective("cost", scale: 10)]
    let decomposition = try Decomposition(
      .targets([ReferenceTarget("t", ["error": 1, "cost": 10])]), objectives: objectives)
    var model = ObjectiveModel(genes: Self.genes, settings: SurrogateSettings())
    for genome in Self.genomes(30, seed: 5) { model.add(genome, value: Self.value(genome)) }
    var search = ExpectedGain(
      1, after: [], of: decomposition, subproblem: 0, best: 0, objectives: objectives,
      models: [model, nil], boldness: 1)
    var values: [Double] = []
    for genome in Self.genomes(50, seed: 6) {
      search.consider(genome, known: [.nan, 5]) { true }
      values.append(
        decomposition.value(
          [AdditiveModel.restored(model.prediction(genome, boldness: 1).mean), 0.5], 0))
    }
    let kept = try #require(search.promises.first)
    #expect(kept.gain == 0)
    let least = try #require(values.min())
    #expect(abs(kept.value - least) < 1e-9)
  }
}
