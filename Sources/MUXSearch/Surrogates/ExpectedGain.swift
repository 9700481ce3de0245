// SPDX-License-Identifier: Apache-2.0

/// Finds the network with the largest expected improvement of g over the best of a sub-problem.
///
/// The objectives that are not known have a normal distribution around their predictions (in the
/// models' transformed units), moved together; the expectation is a five-point Gauss-Hermite sum.
struct ExpectedGain {
  private static let nodes: [(offset: Double, weight: Double)] = [
    (-2.856970013872806, 0.01125741132772071), (-1.355626179974266, 0.2220759220056126),
    (0, 0.5333333333333333), (1.355626179974266, 0.2220759220056126),
    (2.856970013872806, 0.01125741132772071),
  ]

  let decomposition: Decomposition
  let subproblem: Int
  let best: Double
  let models: [AdditiveModel?]
  private let deviations: [Double]
  private(set) var winner: Genome?
  private var bestGain = 0.0
  private var bestMean = Double.infinity
  private var point: [Double]
  private var means: [Double]

  init(
    decomposition: Decomposition, subproblem: Int, best: Double, models: [AdditiveModel?],
    boldness: Double
  ) {
    self.decomposition = decomposition
    self.subproblem = subproblem
    self.best = best
    self.models = models
    deviations = models.map { ($0?.deviation ?? 0) * boldness }
    point = models.map { _ in 0 }
    means = point
  }

  /// Looks at a network; `known` holds its known objectives over their scales, NaN for the others.
  mutating func consider(_ genome: Genome, known: [Double]?) {
    var spread = 1.0
    for (index, model) in models.enumerated() {
      guard let model else {
        point[index] = known?[index] ?? 0
        continue
      }
      means[index] = model.prediction(genome)
      spread = (1 + model.novelty(genome)).squareRoot()
    }
    var gain = 0.0
    var mean = 0.0
    for node in Self.nodes {
      for index in models.indices where models[index] != nil {
        point[index] = AdditiveModel.restored(
          means[index] + node.offset * deviations[index] * spread)
      }
      let value = decomposition.value(point, subproblem)
      gain += node.weight * max(0, best - value)
      if node.offset == 0 { mean = value }
    }
    // Where no network promises a gain, the one that comes nearest is still worth asking for.
    if gain > bestGain || (gain == bestGain && mean < bestMean) {
      (winner, bestGain, bestMean) = (genome, gain, mean)
    }
  }
}
