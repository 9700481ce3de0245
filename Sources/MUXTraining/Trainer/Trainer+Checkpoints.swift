// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXTensor
import MUXWeights

extension Trainer {
  private static let weightsName = "weights.safetensors"
  private static let averagedName = "averaged.safetensors"
  private static let optimizerName = "optimizer.safetensors"

  /// The file of a checkpoint whose weights are to be used.
  private var scoredName: String {
    averagedModel == nil ? Self.weightsName : Self.averagedName
  }

  /// Copies of all tensors that a checkpoint holds, by file.
  func archives() throws -> [(file: String, archive: TensorArchive)] {
    try takeSharedWeights(measuring: false)
    func metadata(isAveraged: Bool) throws -> [String: String] {
      let isScored = isAveraged == (averagedModel != nil)
      let scores = state.history.last.flatMap { report in
        report.epoch == state.epoch && state.batch == 0
          ? (isScored ? report.validation : report.rawValidation) : nil
      }
      return try WeightsMetadata(
        network: network, task: state.tunedTask ?? configuration.task,
        classNames: data.classNames, pipeline: data.evaluationPipeline, isAveraged: isAveraged,
        state: state, scores: scores
      ).dictionary()
    }
    var files: [(file: String, archive: TensorArchive)] = [
      (Self.weightsName, try model.archive(metadata: metadata(isAveraged: false))),
      (
        Self.optimizerName,
        try TensorArchive(
          optimizer.buffers + projections,
          metadata: [
            "kind": configuration.optimizer.kind.rawValue, "updates": String(optimizer.updates),
          ].merging(optimizer.lateStart.map { ["lateStart": String($0)] } ?? [:]) { old, _ in old })
      ),
    ]
    if let averagedModel {
      files.append(
        (Self.averagedName, try averagedModel.archive(metadata: metadata(isAveraged: true))))
    }
    files += try sharedArchives()
    return files
  }

  /// Saves the whole state; a checkpoint with a metric takes part in the ranking.
  func saveCheckpoint(ranked value: Double? = nil) throws {
    let checkpoints = configuration.checkpoints
    state.seconds = seconds
    state.averagedUpdates = average?.updates ?? 0
    let name = store.nextName(step: state.step)
    if let value, checkpoints.keepBest > 0 {
      RankedCheckpoint.insert(
        RankedCheckpoint(name: name, epoch: state.epoch, value: value), into: &state.best,
        limit: checkpoints.keepBest, metric: metric)
    }
    guard group.isFirst else {
      // What the first process does beside writing.
      return try takeSharedWeights(measuring: false)
    }
    try writing {
      try store.save(try archives(), state: state, name: name)
      try publishWeights(last: name)
    }
    // The one before stays, and what is best by its state: should this one turn out to be damaged, the
    // run goes on from there as if this one had never been.
    let kept = state.best.map(\.name) + [name]
    store.prune(keeping: Set(kept + keptBefore + state.damaged))
    keptBefore = kept
    try announce(.saved(path: store.folder(of: name)))
  }

  /// Puts the best and the latest weights where they are easily found.
  func publishWeights(last name: String) throws {
    if let best = state.best.first {
      try publish(scoredName, of: best.name, as: folder.bestWeights)
    }
    try publish(scoredName, of: name, as: folder.lastWeights)
    if let file = usedSharedName { try publish(file, of: name, as: folder.supernet) }
  }

  /// The files without which no run goes on.
  static let requiredFiles = [weightsName, optimizerName]

  /// Takes note of checkpoints that are damaged, of which nothing is removed, and of those that were
  /// kept for their metric and are no longer there or no longer sound.
  ///
  /// - Parameters:
  ///   - damaged: Those that are newer than the one that the run goes on from.
  ///   - name: The one that the run goes on from.
  /// - Returns: What the user should know, a line each.
  func noteDamage(_ damaged: [DamagedCheckpoint], resumingFrom name: String) -> [String] {
    var lines: [String] = []
    if !damaged.isEmpty {
      let one = damaged.count == 1
      lines.append(
        "the newest \(one ? "checkpoint is" : "\(damaged.count) checkpoints are") damaged"
          + " (\(damaged.map(\.description).joined(separator: "; "))): going on from \(name), the newest"
          + " sound one; nothing was removed")
    }
    var lost = damaged
    let whole = Set(store.names())
    for entry in state.best where entry.name != name {
      guard whole.contains(entry.name) else {
        lost.append(DamagedCheckpoint(name: entry.name, reason: "it is not there"))
        continue
      }
      do { _ = try store.load(entry.name, requiring: [scoredName]) } catch {
        guard case CheckpointError.damaged(_, let reason) = error else { continue }
        lost.append(DamagedCheckpoint(name: entry.name, reason: reason))
      }
    }
    let names = Set(lost.map(\.name))
    state.damaged = Array(names.union(state.damaged).intersection(whole)).sorted()
    let former = state.best.filter { names.contains($0.name) }
    guard !former.isEmpty else { return lines }
    state.best.removeAll { names.contains($0.name) }
    if state.best.isEmpty, state.batch == 0, let last = state.history.last,
      last.epoch == state.epoch, let value = last.validation?.rank(by: metric)
    {
      state.best = [RankedCheckpoint(name: name, epoch: state.epoch, value: value)]
    }
    let reasons = lost.filter { lost in former.contains { $0.name == lost.name } }
    lines.append(
      "\(former.count == 1 ? "a checkpoint" : "checkpoints") kept as the best cannot be used"
        + " (\(reasons.map(\.description).joined(separator: "; "))): the best of the others count")
    return lines
  }

  /// Makes a hard link to a checkpoint's weights, or a copy where the file system has no links, and
  /// moves it into its place.
  private func publish(_ file: String, of name: String, as path: String) throws {
    let source = "\(store.folder(of: name))/\(file)"
    let temporary = path + ".partial"
    unlink(temporary)
    if link(source, temporary) == 0 {
      guard rename(temporary, path) == 0 else {
        throw FileError(operation: "replace", path: path, code: errno)
      }
      // Renaming one name of a file to another name of it leaves both.
      unlink(temporary)
    } else {
      var file = try AtomicFile(path: path)
      try file.write(try ByteRegion(mapping: source))
      try file.commit()
    }
  }

  /// The classes that a checkpoint's weights were trained for.
  static func classNames(of name: String, in store: CheckpointStore) throws -> [String]? {
    let path = "\(store.folder(of: name))/\(weightsName)"
    return try WeightsMetadata(store.archive(weightsName, of: name).metadata, path: path)?
      .classNames
  }

  /// Loads the tensors of a checkpoint whose state is already here.
  func restore(_ name: String) throws {
    let path = store.folder(of: name)
    try store.archive(Self.weightsName, of: name).copy(into: model.namedState, path: path)
    if let averagedModel, let average {
      try store.archive(Self.averagedName, of: name)
        .copy(into: averagedModel.namedState, path: path)
      average.updates = state.averagedUpdates
    }
    try restoreShared(name)
    let saved = try store.archive(Self.optimizerName, of: name)
    let kind = saved.metadata["kind"] ?? "none"
    guard kind == configuration.optimizer.kind.rawValue,
      let updates = saved.metadata["updates"].flatMap({ Int($0) })
    else {
      throw CheckpointError.mismatch(
        path: path,
        reason: "its optimizer is \(kind), not \(configuration.optimizer.kind.rawValue)")
    }
    try saved.copy(into: optimizer.buffers + projections, path: path)
    optimizer.updates = updates
    optimizer.lateStart = saved.metadata["lateStart"].flatMap { Int($0) }
  }
}
