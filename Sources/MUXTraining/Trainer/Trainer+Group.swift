// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXNetworkFiles
public import MUXTensor
import MUXVision

/// What all processes of a step have found, the same in all.
struct Agreement {
  /// The sum of the losses over the images.
  var lossSum: Double
  var images: Int
  /// The parts of the loss, summed over the images.
  var parts: [LossPart]

  /// Adds a batch of `images` and its mean loss.
  mutating func add(_ batch: LearnedBatch, images count: Int) {
    lossSum += batch.loss * Double(count)
    images += count
    for part in batch.parts {
      let sum = part.value * Double(count)
      if let place = parts.firstIndex(where: { $0.name == part.name }) {
        parts[place].value += sum
      } else {
        parts.append(LossPart(name: part.name, value: sum))
      }
    }
  }
}

// Several processes train as one: each makes its share of every batch, and gradients, losses, statistics and
// the wish to stop are those of all. Whatever else a process does follows from what all know.
extension Trainer {
  /// Whether this is one of several processes.
  var hasPartners: Bool { group.size > 1 }

  /// The signal by which the run, in whichever of its processes, was asked to stop.
  var requestedStop: Int32? { hasPartners ? agreedStop : stop.requested }

  /// The source of dropout's numbers in this step: of the process's own images, so that no generator is part
  /// of the state.
  ///
  /// - Parameter network: The network's number in the step, where there are several.
  func dropoutStream(network: Int? = nil) -> RandomStream {
    let (seed, step) = (configuration.seed, UInt64(state.step))
    let index = network.map { UInt64($0) }
    if group.isFirst {
      return index.map { RandomStream(seed: seed, purpose: .dropout, indices: step, $0) }
        ?? RandomStream(seed: seed, purpose: .dropout, indices: step)
    }
    return RandomStream(
      seed: seed, purpose: .dropout, indices: step, index ?? 0, UInt64(group.rank))
  }

  /// The share of a batch's loss that its images bring: their part of the whole batch.
  func lossShare(of batch: Batch) -> Double {
    hasPartners ? Double(batch.count) / Double(data.training.settings.batchSize) : 1
  }

  /// Runs a forward or backward pass; where the settings say so, its batch norms see all images.
  func synchronizingNorms<Result>(_ body: () throws -> Result) throws -> Result {
    guard hasPartners, configuration.distributed.synchronizedNorms else { return try body() }
    return try SynchronizedNorms.with(group, body)
  }

  /// Adds up what the processes found in a step, and what they were asked to do after it.
  func agree(on own: Agreement) throws -> Agreement {
    guard hasPartners else { return own }
    let signal = stop.requested
    var numbers = [own.lossSum, Double(own.images)]
    numbers += [signal == nil ? 0 : 1, Double(signal ?? 0)]
    // One clock counts.
    numbers.append(group.isFirst && isOwnBudgetSpent ? 1 : 0)
    let sums = try group.sums(numbers + own.parts.map(\.value))
    agreedStop = sums[2] > 0 ? Int32((sums[3] / sums[2]).rounded()) : nil
    agreedBudget = sums[4] > 0
    var agreed = own
    agreed.lossSum = sums[0]
    agreed.images = Int(sums[1])
    for place in agreed.parts.indices { agreed.parts[place].value = sums[5 + place] }
    return agreed
  }

  /// Gives all processes the state of the first one.
  func shareState() throws {
    guard hasPartners else { return }
    group.activity = "before the first step"
    let named =
      (shared?.namedState ?? []) + model.namedState + projections + optimizer.buffers
      + (averagedModel?.namedState ?? []) + (averagedShared?.namedState ?? [])
    try group.broadcast(named.map(\.tensor))
  }

  /// Gives all processes the running statistics of the first one, which are those that are saved.
  func shareStatistics(of model: NetworkModel) throws {
    guard hasPartners else { return }
    try group.broadcast(model.buffers.map(\.tensor))
  }

  /// Replaces what each process measured of its own images by the mean.
  func averageStatistics(of model: NetworkModel) throws {
    guard hasPartners else { return }
    try withoutGradient {
      for tensor in model.buffers.map(\.tensor) where tensor.dtype.isFloatingPoint {
        try group.allReduce(tensor)
        try tensor.multiplyInPlace(1 / Double(group.size))
      }
    }
  }
}

extension Trainer {
  /// The run that an earlier attempt of the same launch has begun and saved a checkpoint of: a launcher that
  /// starts all processes anew says the same words as the first time. What it has left without a checkpoint
  /// is removed.
  ///
  /// - Parameters:
  ///   - configuration: The settings of the launch.
  ///   - group: The processes.
  /// - Returns: Its folder, the same in all processes; nil where the run is to begin.
  public static func earlierAttempt(
    _ configuration: TrainingConfiguration, _ group: ProcessGroup
  ) throws -> String? {
    guard let launch = group.launch, group.restarts > 0 else { return nil }
    let path = try group.tell("run", group.isFirst ? begun(by: launch, configuration) ?? "" : "")
    return path.isEmpty ? nil : path
  }

  private static func begun(
    by launch: String, _ configuration: TrainingConfiguration
  ) -> String? {
    let folder = configuration.output.folder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var found: String?
    for path in names.sorted().map({ "\(folder)/\($0)" }) {
      guard let run = try? RunFolder(existing: path), run.path == path,
        RunEnvironment.launches(in: run.environment).contains(launch)
      else { continue }
      if CheckpointStore(path: run.checkpoints).names().isEmpty {
        run.discard()
      } else {
        found = path
      }
    }
    return found
  }
}

/// The processes of a run, while they evaluate.
struct RunPartners: EvaluationPartners {
  let group: ProcessGroup
  let stop: StopSignal

  var rank: Int { group.rank }
  var count: Int { group.size }

  /// - Throws: ``EvaluationInterrupted`` in all processes, where one was asked to stop.
  func gather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    let all = try group.allGather([UInt8(truncatingIfNeeded: stop.requested ?? 0)] + bytes)
    if let signal = all.compactMap(\.first).first(where: { $0 != 0 }) {
      throw EvaluationInterrupted(signal: Int32(signal))
    }
    return all.map { Array($0.dropFirst()) }
  }
}

extension ProcessGroup {
  /// Makes sure that all processes want the same, and connects them.
  ///
  /// - Parameters:
  ///   - configuration: Every setting.
  ///   - parts: What the run is made of.
  ///   - checkpoint: What it goes on from; nil for a new run.
  func meet(
    _ configuration: TrainingConfiguration, _ parts: RunParts, checkpoint: String? = nil
  ) throws {
    guard size > 1 else { return }
    activity = "before the first step"
    try agree(on: try Self.facts(configuration, parts, checkpoint: checkpoint))
    try connect()
  }

  /// The run's folder, which the first process makes.
  func folder(_ make: () throws -> RunFolder) throws -> RunFolder {
    guard size > 1 else { return try make() }
    let own = isFirst ? try make() : nil
    let path = try broadcast(Array((own?.path ?? "").utf8))
    return own ?? RunFolder(madeElsewhere: String(decoding: path, as: UTF8.self))
  }

  /// What must be the same everywhere.
  static func facts(
    _ configuration: TrainingConfiguration, _ parts: RunParts, checkpoint: String?
  ) throws -> [(what: String, value: String)] {
    var facts: [(what: String, value: String)] = [
      ("muxnet", MUXNetVersion.current), ("libtorch", try TorchRuntime.runningVersion()),
      ("the checkpoint", checkpoint ?? "none"),
    ]
    // What belongs to a machine, and what only the first process does.
    var settings = configuration
    settings.threads = 0
    settings.device = String(settings.device.prefix { $0 != ":" })
    settings.data.path = nil
    settings.data.workers = 0
    settings.data.prefetch = 1
    settings.output = OutputConfiguration()
    settings.distributed.interface = nil
    settings.timeBudgetMinutes = nil
    facts += try ConfigurationText.yaml(settings).split(separator: "\n")
      .map { ("the setting", $0.trimmingCharacters(in: .whitespaces)) }
    func digest(_ text: some Sequence<UInt8>) -> String {
      var hash = StableHash()
      Array(text).withUnsafeBytes { hash.add($0) }
      return String(hash.value, radix: 16)
    }
    let network = parts.network
    facts.append(
      ("the network", "\(network.name) (\(digest(try NetworkFile.json(network))))"))
    let record = parts.data.record
    facts.append(
      ("training images:", "\(record.training.images) (\(record.training.digest))"))
    facts.append(
      ("validation images:", "\(record.validation.images) (\(record.validation.digest))"))
    facts.append(
      (
        "classes:",
        "\(record.classes.count) (\(digest(record.classes.joined(separator: "\n").utf8)))"
      ))
    if let teacher = parts.teacherDigest { facts.append(("the teacher", teacher)) }
    return facts
  }
}
