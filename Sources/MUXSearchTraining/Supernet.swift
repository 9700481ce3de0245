// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
package import MUXNetworks
package import MUXSearch
package import MUXTraining
package import MUXWeights

/// A trained super-network: from it every network of its space gets its weights without training.
///
/// The file is mapped, so that several processes that use it share the memory.
package struct Supernet: Sendable {
  /// The folder of its run.
  package let path: String
  /// A hash of its tensors.
  package let digest: String
  /// The settings by which it was trained.
  package let configuration: TrainingConfiguration
  package let sharing: WeightSharing

  private let folder: RunFolder
  private let archive: TensorArchive
  private let stamp: FileStamp?

  /// The space, with the limits within which networks were trained.
  package var space: NetworkSpace { sharing.space }

  /// Opens the super-network of a run that is at its end.
  ///
  /// - Parameter path: The run's folder.
  /// - Throws: ``SupernetError``, or an error of the files.
  package init(run path: String) throws {
    // For a folder that is no run, the error of its own speaks of resuming.
    guard let folder = try? RunFolder(existing: path),
      FileManager.default.fileExists(atPath: folder.space)
    else { throw SupernetError.notASupernet(path: path) }
    guard !RunLock.isHeld(folder.path) else {
      throw SupernetError.unfinished(path: path, isRunning: true)
    }
    guard FileManager.default.fileExists(atPath: folder.result) else {
      throw SupernetError.unfinished(path: path, isRunning: false)
    }
    configuration = try TrainingConfiguration(ofRun: folder)
    sharing = try WeightSharing(
      NetworkSpace.read(URL(filePath: folder.space)),
      widths: .init(configuration.supernet.widths))
    // Before the bytes, so that what is written meanwhile is noticed.
    stamp = FileStamp(folder.supernet)
    let region = try ByteRegion(mapping: folder.supernet)
    digest = region.digest
    archive = try Safetensors.read(region, path: folder.supernet)
    self.folder = folder
    self.path = path
    for shared in sharing.tensors {
      guard let tensor = archive[shared.name] else {
        throw SupernetError.missing(path: path, tensor: shared.name)
      }
      guard tensor.shape == shared.shape else {
        throw SupernetError.misshapen(
          path: path, tensor: shared.name, shape: tensor.shape, expected: shared.shape)
      }
    }
  }

  /// Refuses a file that was replaced or written to since it was opened.
  ///
  /// - Throws: ``SupernetError/changed(path:)``.
  package func requireUnchanged() throws {
    guard let now = FileStamp(folder.supernet), now == stamp else {
      throw SupernetError.changed(path: path)
    }
  }

  /// Refuses a space whose networks are others; limits do not matter.
  ///
  /// - Throws: ``SupernetError/otherSpace(path:own:wanted:)``.
  package func require(_ space: NetworkSpace) throws {
    var (own, wanted) = (self.space, space)
    own.constraints = .init()
    wanted.constraints = .init()
    guard own == wanted else {
      throw SupernetError.otherSpace(path: path, own: own.name, wanted: wanted.name)
    }
  }

  /// The network of a genome and its weights, as they were trained.
  ///
  /// - Parameters:
  ///   - genome: The choices.
  ///   - name: The network's name; nil for one of space and genome.
  /// - Throws: `SearchError` for a genome outside of the space, ``SupernetError``.
  package func extract(
    _ genome: Genome, name: String? = nil
  ) throws -> (network: Network, weights: TensorArchive) {
    let canonical = try sharing.canonical(genome)
    let network = try sharing.network(canonical, name: name)
    return (network, try sharing.weights(of: canonical, network, from: archive, path: path))
  }

  /// The canonical form of a genome.
  ///
  /// - Throws: `SearchError` for a genome outside of the space.
  package func canonical(_ genome: Genome) throws(SearchError) -> Genome {
    try sharing.canonical(genome)
  }

  /// The genome of an architecture.
  ///
  /// - Throws: `SearchError` for one that is no point of the space.
  package func encode(_ architecture: Architecture) throws(SearchError) -> Genome {
    try sharing.encode(architecture)
  }

  /// The architecture of a genome.
  ///
  /// - Parameters:
  ///   - genome: The choices.
  ///   - name: Its name; nil for one of space and genome.
  /// - Throws: `SearchError` for a genome outside of the space, `NetworkError`.
  package func architecture(_ genome: Genome, name: String? = nil) throws -> Architecture {
    try sharing.architecture(genome, name: name)
  }

  /// What the network of a genome costs; nil where it cannot be built.
  package func costs(of genome: Genome) -> NetworkDomain.Costs? { sharing.costs(of: genome) }

  /// Different networks drawn from the space, within its limits.
  ///
  /// - Parameters:
  ///   - count: How many; fewer where there are not as many.
  ///   - seed: Decides which.
  ///   - madds: Their multiply-adds; nil for any.
  /// - Throws: `SearchError` where none is found.
  package func draw(
    _ count: Int, seed: UInt64, madds: ClosedRange<Int>? = nil
  ) throws(SearchError) -> [Genome] {
    if let madds {
      let (least, most) = sharing.reachOfMultiplyAdds
      guard madds.overlaps(least...most) else {
        throw .invalidSetting(
          name: "madds",
          reason: "no network of the space '\(space.name)' has \(madds.lowerBound) to"
            + " \(madds.upperBound) multiply-adds; they have \(least) to \(most)")
      }
    }
    var random = SearchRandom(seed: seed, purpose: "supernet.draw")
    var genomes: [Genome] = []
    var attempts = 0
    while genomes.count < count, attempts < 100 * count {
      attempts += 1
      let genome = try sharing.drawn(with: &random) { genome in
        guard let madds else { return true }
        return sharing.costs(of: genome).map { madds.contains($0.multiplyAdds) } ?? false
      }
      if !genomes.contains(genome) { genomes.append(genome) }
    }
    return genomes
  }

  /// What a file of weights for one of the networks says about itself.
  func metadata(of network: Network) throws -> [String: String] {
    let own = try WeightsMetadata(
      Safetensors.read(folder.lastWeights).metadata, path: folder.lastWeights)
    guard var metadata = own else {
      throw CheckpointError.unreadable(
        path: folder.lastWeights, reason: "it does not say how images are prepared")
    }
    metadata = WeightsMetadata(
      network: network, task: metadata.task, classNames: metadata.classNames,
      pipeline: metadata.pipeline, isAveraged: metadata.isAveraged, epoch: metadata.epoch,
      step: metadata.step, scores: nil)
    return try metadata.dictionary()
  }
}
