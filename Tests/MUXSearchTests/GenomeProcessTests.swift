// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

@Suite("Gaussian processes over genomes")
struct GenomeProcessTests {
  private static let genes = (0..<4).map { Gene("g\($0)", choices: 3) }

  private static func genomes(_ count: Int, seed: UInt64) -> [Genome] {
    var random = SearchRandom(seed: seed, purpose: "process")
    return (0..<count).map { _ in Genome(genes.map { random.below($0.choices) }) }
  }

  /// Only what three genes do together, which no pair of them tells. The last gene does nothing.
  private static func target(_ genome: Genome) -> Double {
    (genome[0] + genome[1] + genome[2]) % 3 == 0 ? 0 : 1
  }

  private static func process(_ genomes: [Genome]) -> GenomeProcess {
    var process = GenomeProcess(genes: genes, clippedShare: 0)
    for genome in genomes { process.add(genome, target: target(genome)) }
    return process
  }

  @Test("It learns what choices do together, and which genes do nothing")
  func interactions() {
    let process = Self.process(Self.genomes(120, seed: 1))
    let fresh = Self.genomes(200, seed: 2)
    func error(_ predict: (Genome) -> Double) -> Double {
      fresh.reduce(0) { $0 + abs(predict($1) - Self.target($1)) } / 200
    }
    var settings = SurrogateSettings()
    settings.clippedShare = 0
    var effects = AdditiveModel(genes: Self.genes, settings: settings)
    for genome in Self.genomes(120, seed: 1) {
      effects.add(genome, value: AdditiveModel.restored(Self.target(genome)))
    }
    let own = error { process.prediction($0).mean }
    let pairs = error { effects.prediction($0) }
    #expect(own < 0.5 * pairs, "\(own), effects of pairs \(pairs)")
    let weights = process.state.kernel.weights
    #expect(weights[3] < 0.2 * (weights.prefix(3).min() ?? 0), "\(weights)")
  }

  @Test(
    "Predictions are those of a plain solution, and the quick deviation is no less than the right one"
  )
  func plainSolution() throws {
    // No more than the samples of its last fit, so that mean and scale are those of all.
    let samples = Self.genomes(10, seed: 3)
    let process = Self.process(samples)
    let kernel = process.state.kernel
    func similarity(_ a: Genome, _ b: Genome) -> Double {
      exp(-(0..<4).reduce(0) { $0 + (a[$1] == b[$1] ? 0 : kernel.weights[$1]) })
    }
    let targets = samples.map(Self.target)
    let mean = targets.reduce(0, +) / 10
    let scale = (targets.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 10).squareRoot()
    let matrix = samples.indices.map { row in
      samples.indices.map { column in
        similarity(samples[row], samples[column]) + (row == column ? kernel.noise : 0)
      }
    }
    let standard = targets.map { ($0 - mean) / scale }
    let dual = Self.solution(matrix, standard)
    let variance = max(zip(dual, standard).reduce(0) { $0 + $1.0 * $1.1 } / 10, 0.05)
    for genome in Self.genomes(50, seed: 4) {
      let row = samples.map { similarity(genome, $0) }
      let expected = mean + scale * zip(row, dual).reduce(0) { $0 + $1.0 * $1.1 }
      let prediction = process.prediction(genome)
      #expect(abs(prediction.mean - expected) < 1e-9)
      let explained = zip(row, Self.solution(matrix, row)).reduce(0) { $0 + $1.0 * $1.1 }
      let deviation = scale * (variance * max(1 - explained, 0)).squareRoot()
      #expect(abs(process.deviation(of: genome) - deviation) < 1e-7)
      #expect(prediction.deviation >= deviation - 1e-9)
    }
  }

  @Test(
    "A process that is made anew of what was saved predicts the same, also where it left samples out"
  )
  func restored() throws {
    let genes = (0..<8).map { Gene("g\($0)", choices: 4) }
    var random = SearchRandom(seed: 5, purpose: "process")
    var process = GenomeProcess(genes: genes, clippedShare: 0.3)
    var samples: [Genome] = []
    func value(_ genome: Genome) -> Double { sin(Double(genome.values.reduce(0) { $0 * 3 + $1 })) }
    while samples.count < 500 {
      let genome = Genome(genes.map { random.below($0.choices) })
      samples.append(genome)
      process.add(genome, target: value(genome))
    }
    let data = try JSONEncoder().encode(process.state)
    let again = GenomeProcess(
      genes: genes, clippedShare: 0.3,
      state: try JSONDecoder().decode(GenomeProcess.State.self, from: data), genomes: samples,
      targets: samples.map(value))
    for _ in 0..<50 {
      let genome = Genome(genes.map { random.below($0.choices) })
      let (one, other) = (again.prediction(genome), process.prediction(genome))
      #expect(one.mean == other.mean && one.deviation == other.deviation)
      #expect(again.deviation(of: genome) == process.deviation(of: genome))
    }
  }

  @Test("Samples that are all alike, and few, give numbers")
  func alike() {
    var process = GenomeProcess(genes: Self.genes, clippedShare: 0.3)
    for _ in 0..<30 {
      process.add([0, 0, 0, 0], target: 2)
      let prediction = process.prediction([1, 0, 0, 0])
      #expect(prediction.mean.isFinite && prediction.deviation.isFinite)
    }
    #expect(abs(process.prediction([0, 0, 0, 0]).mean - 2) < 1e-6)
  }

  /// A x = b by elimination.
  private static func solution(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    var rows = zip(matrix, vector).map { $0 + [$1] }
    let count = vector.count
    for pivot in 0..<count {
      for row in 0..<count where row != pivot {
        let factor = rows[row][pivot] / rows[pivot][pivot]
        for column in pivot...count { rows[row][column] -= factor * rows[pivot][column] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }
}
