// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXConfiguration
package import MUXCore
package import MUXEvaluation
import MUXNetworkFiles
import MUXNetworks
package import MUXTasks

/// What the folder of a run says of it: settings, epochs, the network, how it ended.
package struct RunRecord: Sendable {
  /// One row of `summary.csv`.
  package struct Epoch: Sendable, Hashable {
    /// Its number, from 1.
    package var number: Int
    /// Whether its score was the best so far.
    package var isBest: Bool
    /// The columns that have a number, by name.
    package var values: [String: Double]

    /// The value of a metric on the validation images.
    package subscript(metric: Metric) -> Double? {
      values[SummaryColumn.validation(metric)]
    }

    /// The value of another column.
    package subscript(column: SummaryColumn) -> Double? { values[column.rawValue] }
  }

  package let folder: RunFolder
  /// What the run is called.
  package let name: String
  package let settings: ConfigurationTree
  /// What the network is for.
  package let task: any VisionTask
  /// The epochs that are done.
  package let epochs: [Epoch]
  /// The network's name; nil where the folder does not say.
  package let network: String?
  /// Learnable numbers of the network.
  package let parameters: Int?
  /// Multiply-adds for an image of the size that the run trains with.
  package let multiplyAdds: Int?
  /// Why it ended, by the word that files have; nil where it did not end by itself.
  package let ending: String?
  /// Whether a process is at work on it.
  package let isTraining: Bool

  private struct Result: Decodable { var ending: String? }

  private struct TaskOnly: Decodable {
    var task: NamedTask
    enum CodingKeys: String, CodingKey { case task }
    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      task = try values.decodeIfPresent(NamedTask.self, forKey: .task) ?? NamedTask()
    }
  }

  /// Reads the folder of a run.
  ///
  /// - Throws: ``RunFolderError/noRun(path:)`` where it is none; errors that name the file that cannot be
  ///   read.
  package init(path: String) throws {
    guard let folder = try? RunFolder(existing: path),
      FileManager.default.fileExists(atPath: folder.configuration)
    else { throw RunFolderError.noRun(path: path) }
    self.folder = folder
    // A pipe would be waited for.
    for file in [folder.configuration, folder.summary, folder.network, folder.result]
    where Self.isSpecial(file) {
      throw CheckpointError.unreadable(path: file, reason: "it is no regular file; remove it")
    }
    let last = URL(filePath: folder.path).absoluteURL.standardized.lastPathComponent
    name = last.isEmpty ? folder.path : last
    settings = try ConfigurationTree(contentsOf: folder.configuration)
    task = try settings.keeping(["task"]).decode(TaskOnly.self).task.task
    epochs = try Self.epochs(folder.summary)
    var size: Int?
    for (path, text) in settings.flattened where path == "model.inputSize" { size = Int(text) }
    let network = try? Self.network(folder.network)
    self.network = network?.name
    let costs = network.flatMap { try? CostReport($0, inputSize: size.map { ImageSize($0) }) }
    parameters = costs?.parameters
    multiplyAdds = costs?.multiplyAdds
    ending = FileManager.default.contents(atPath: folder.result)
      .flatMap { try? JSONDecoder().decode(Result.self, from: $0).ending }
    isTraining = Self.isLocked(folder)
  }

  /// Whether something else than a file is there.
  private static func isSpecial(_ path: String) -> Bool {
    let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
    guard let facts = try? FileManager.default.attributesOfItem(atPath: target) else {
      return false
    }
    return facts[.type] as? FileAttributeType != .typeRegular
  }

  private static func network(_ path: String) throws -> Network {
    switch try NetworkFile.read(URL(filePath: path)) {
    case .network(let network): network
    case .architecture(let architecture): try architecture.network()
    }
  }

  /// Whether another process has the run's lock. A folder that cannot be written has none.
  private static func isLocked(_ folder: RunFolder) -> Bool {
    guard FileManager.default.fileExists(atPath: "\(folder.path)/.lock") else { return false }
    do {
      let lock = try RunLock(folder.path)
      withExtendedLifetime(lock) {}
      return false
    } catch {
      if case .inUse = error { return true }
      return false
    }
  }

  /// The rows of a summary; none where there is no file yet.
  private static func epochs(_ path: String) throws -> [Epoch] {
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let lines = try TextFile.read(path, limit: 1 << 28).split(whereSeparator: \.isNewline)
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    guard let columns = lines.first else { return [] }
    let needed: [SummaryColumn] = [.epoch, .seconds]
    guard needed.allSatisfy({ columns.contains($0.rawValue) }) else {
      throw CheckpointError.unreadable(
        path: path, reason: "its first line has no columns 'epoch' and 'seconds'")
    }
    return try lines.dropFirst().enumerated().map { number, cells in
      guard cells.count == columns.count else {
        throw CheckpointError.unreadable(
          path: path,
          reason: "line \(number + 2) has \(cells.count) cells, the first has \(columns.count)")
      }
      var values: [String: Double] = [:]
      for (column, cell) in zip(columns, cells) where !cell.isEmpty {
        values[column] = Double(cell)
      }
      var epoch = Epoch(number: number + 1, isBest: false, values: values)
      if let own = epoch[.epoch].flatMap({ Int(exactly: $0) }) { epoch.number = own }
      epoch.isBest = epoch[.best] == 1
      return epoch
    }
  }

  /// The epoch whose weights count: the last that was the best so far.
  package var best: Epoch? { epochs.last { $0.isBest } ?? epochs.last }

  /// The metrics of the task that some epoch has.
  package var metrics: [Metric] {
    task.shownMetrics.filter { metric in epochs.contains { $0[metric] != nil } }
  }

  /// The metric by which epochs are ranked.
  package var rankingMetric: Metric? {
    let name = settings.flattened.first { $0.path == "checkpoints.metric" }?.text
    return (try? task.metric(named: name == "none" ? nil : name)) ?? task.metrics.first
  }

  /// Mean seconds of an epoch, its evaluation included.
  package var secondsPerEpoch: Double? {
    guard let last = epochs.last, let seconds = last[.seconds], last.number > 0 else {
      return nil
    }
    return seconds / Double(last.number)
  }

  /// Seconds of the whole run.
  package var seconds: Double? { epochs.last?[.seconds] }

  /// How far it is, in words.
  package var state: String {
    let done = "\(epochs.count) epoch\(epochs.count == 1 ? "" : "s")"
    if isTraining { return "still training, \(done) done" }
    return switch ending {
    case "completed": "completed, \(done)"
    case "timeBudget": "stopped by its time budget after \(done)"
    case "maxSteps": "stopped by its number of steps after \(done)"
    case "patience": "stopped after \(done), when nothing improved"
    default: "stopped after \(done)"
    }
  }
}
