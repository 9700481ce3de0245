// SPDX-License-Identifier: Apache-2.0

/// Predicts one objective from a genome, by the one of two models that has predicted better lately: effects of
/// choices and pairs of them (``AdditiveModel``), or a Gaussian process (``GenomeProcess``).
///
/// Which one is better depends on the space: the process knows how many choices act together, the effects
/// need fewer samples where there are many genes.
package struct ObjectiveModel: Sendable {
  package private(set) var additive: AdditiveModel
  package private(set) var process: GenomeProcess
  /// The one that is asked, nil for the better one.
  private let kind: SurrogateSettings.Kind?
  /// Whether the process is asked; decided when either is fitted.
  private var asksProcess = false

  package init(genes: [Gene], settings: SurrogateSettings) {
    additive = AdditiveModel(genes: genes, settings: settings)
    process = GenomeProcess(genes: genes, clippedShare: settings.clippedShare)
    kind = settings.kind
  }

  /// A model that was saved, of the genomes that it had seen then and their values.
  package init(
    _ saved: Saved, kind: SurrogateSettings.Kind?, genes: [Gene], genomes: [Genome],
    values: [Double]
  ) {
    additive = saved.additive
    additive.resume(genomes, values: values)
    self.kind = kind
    let settings = saved.additive.settings
    process =
      kind == .effects
      ? GenomeProcess(genes: genes, clippedShare: settings.clippedShare)
      : GenomeProcess(
        genes: genes, clippedShare: settings.clippedShare,
        state: saved.process ?? .init(kernel: GenomeKernel(genes: 0)),
        genomes: genomes, targets: additive.targets)
    asksProcess = saved.asksProcess ?? false
  }

  /// Predictions stay as they are while this does.
  package var revision: Int { asksProcess ? process.sampleCount : -additive.fits }

  /// The transformed objective of a genome, and the deviation of what is not known of it: never less than
  /// ``deviation(of:boldness:)``.
  @inline(__always)
  package func prediction(
    _ genome: Genome, boldness: Double
  ) -> (mean: Double, deviation: Double) {
    if asksProcess { return process.prediction(genome) }
    return (
      additive.prediction(genome),
      additive.deviation * boldness * (1 + additive.novelty(genome)).squareRoot()
    )
  }

  /// Whether the deviation of a prediction is only a bound.
  package var boundsDeviation: Bool { asksProcess }

  /// The deviation of what is not known of a genome's objective.
  package func deviation(of genome: Genome, boldness: Double) -> Double {
    asksProcess ? process.deviation(of: genome) : prediction(genome, boldness: boldness).deviation
  }

  /// Adds a sample.
  package mutating func add(_ genome: Genome, value: Double) {
    let before = (additive.fits, process.state.fits)
    additive.add(genome, value: value)
    if kind != .effects {
      process.add(genome, target: AdditiveModel.transformed(value))
    }
    if before != (additive.fits, process.state.fits) {
      asksProcess =
        switch kind {
        case .effects: false
        case .process: process.isFitted
        case .better, nil: process.isFitted && process.deviation <= additive.deviation
        }
    }
  }
}

extension ObjectiveModel {
  /// What is kept of a model; the samples are those of the search, and the process is made anew from them.
  package struct Saved: Sendable, Codable {
    package var additive: AdditiveModel
    package var process: GenomeProcess.State?
    package var asksProcess: Bool?

    private enum CodingKeys: String, CodingKey { case additive, process, asksProcess }

    package init(_ model: ObjectiveModel) {
      additive = model.additive.withoutSamples
      process = model.process.state
      asksProcess = model.asksProcess
    }

    /// Reads what is kept; states of version 0.1 have the additive model alone.
    package init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      guard container.contains(.additive) else {
        additive = try AdditiveModel(from: decoder)
        return
      }
      additive = try container.decode(AdditiveModel.self, forKey: .additive)
      process = try container.decodeIfPresent(GenomeProcess.State.self, forKey: .process)
      asksProcess = try container.decodeIfPresent(Bool.self, forKey: .asksProcess)
    }
  }
}
