// SPDX-License-Identifier: Apache-2.0
package import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXSearch
package import MUXStudies
import MUXTraining

/// The trainings of a fixed list: the settings of the study, over them those of a network, and a seed.
package struct GridTraining {
  private let base: ConfigurationTree

  /// Trainings by settings that all have in common.
  package init(base: ConfigurationTree) { self.base = base }

  /// The settings and the network of one training; `open` gives the training images of settings.
  ///
  /// - Throws: An error that names the network.
  func run(
    of entry: StudyGrid.Entry, seed: UInt64,
    open: (DataConfiguration) throws -> any ImageDataSet = { try $0.open(.training) }
  ) throws -> (TrainingConfiguration, Network) {
    func fail(_ reason: String) -> StudyError {
      .evaluation(reason: "network '\(entry.name)': \(reason)")
    }
    if let defect = entry.defect { throw fail(defect) }
    do {
      var tree = base
      for assignment in entry.settings {
        try tree.set(assignment: assignment, source: .file("the list"))
      }
      try tree.set("seed", toText: "\(seed)", source: .file("the list"))
      let configuration = try tree.decode(TrainingConfiguration.self)
      try configuration.validate()
      let network = try configuration.resolveNetwork(
        for: try open(configuration.data), of: try entry.parsed())
      return (configuration, network)
    } catch let error as StudyError {
      throw error
    } catch {
      throw fail("\(error)")
    }
  }

  /// A list with the costs of its networks; those that cannot be made say why, and their trials fail.
  ///
  /// - Throws: `StudyError.evaluation` where none can be made, with the first reason.
  package func grid(of networks: [StudyGrid.Entry], seeds: [UInt64]) throws -> StudyGrid {
    var entries = networks
    // Most have the same images, and to list them takes a while.
    var opened: (settings: DataConfiguration, images: any ImageDataSet)?
    func open(_ settings: DataConfiguration) throws -> any ImageDataSet {
      if let opened, opened.settings == settings { return opened.images }
      let images = try settings.open(.training)
      opened = (settings, images)
      return images
    }
    for index in entries.indices where entries[index].defect == nil {
      do {
        let (configuration, network) = try run(
          of: entries[index], seed: seeds.first ?? 0, open: open)
        let costs = try CostReport(
          network,
          inputSize: configuration.model.inputSize.map { ImageSize($0) } ?? network.inputSize)
        entries[index].costs = [
          Metric.parameters.name: Double(costs.parameters),
          Metric.multiplyAdds.name: Double(costs.multiplyAdds),
        ]
      } catch {
        let (text, prefix) = ("\(error)", "network '\(entries[index].name)': ")
        entries[index].defect =
          text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
      }
    }
    if !entries.isEmpty, entries.allSatisfy({ $0.defect != nil }) {
      throw StudyError.evaluation(
        reason:
          "no network of the list can be trained; '\(entries[0].name)': \(entries[0].defect ?? "")")
    }
    return StudyGrid(networks: entries, seeds: seeds)
  }
}

/// A file with a list: `seeds`, `networks` (settings by name), and perhaps `settings` (more settings by
/// name, each of which every network is trained with).
package enum GridFile {
  /// Reads a file.
  ///
  /// A network whose `model.name` is a file of block strings takes them into the list, so that workers
  /// elsewhere have them, too.
  /// - Throws: `ConfigurationInputError` that names the place.
  package static func read(
    _ path: String
  ) throws -> (networks: [StudyGrid.Entry], seeds: [UInt64]) {
    let tree = try ConfigurationTree(contentsOf: path)
    let networks = try tree.members(of: "networks")
    let variants = try tree.members(of: "settings")
    let seeds = try tree.removing(["networks", "settings"]).decode(List.self).seeds
    let entries = networks.flatMap { name, settings in
      (variants.isEmpty ? [("", ConfigurationTree())] : variants).map { variant, more in
        var all = settings
        all.overlay(more)
        return entry(variant.isEmpty ? name : "\(name) \(variant)", all)
      }
    }
    if let defect = StudyGrid(networks: entries, seeds: seeds).defect {
      throw StudyError.evaluation(reason: "\(path): \(defect)")
    }
    return (entries, seeds)
  }

  /// What stands in a list; its groups are read as trees, since each has settings of its own.
  private struct List: Decodable {
    var seeds: [UInt64]

    private enum CodingKeys: CodingKey { case seeds, networks, settings }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      // Whoever asks for a key knows it: errors about others name these, too.
      for key in [CodingKeys.networks, .settings] { _ = values.contains(key) }
      seeds = try values.decode([UInt64].self, forKey: .seeds)
    }
  }

  private static func entry(_ name: String, _ settings: ConfigurationTree) -> StudyGrid.Entry {
    var entry = StudyGrid.Entry(name)
    for (path, text) in settings.flattened {
      // It would be overruled without a word.
      if path == "seed" {
        entry.defect = "it has a seed of its own; seeds stand in the list, for all networks alike"
        continue
      }
      if path == "model.name", text.contains("/") || text.hasSuffix(".yaml") {
        do {
          entry.architecture = try NetworkFile.yaml(NetworkFile.architecture(text))
          continue
        } catch {
          entry.defect = "\(error)"
        }
      }
      entry.settings.append("\(path)=\(text)")
    }
    return entry
  }
}
