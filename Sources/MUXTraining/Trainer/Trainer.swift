// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
public import MUXCore
public import MUXEvaluation
import MUXNetworkFiles
public import MUXNetworks
public import MUXTensor
import MUXWeights

/// One training run, from its configuration to its result.
///
/// ```swift
/// let trainer = try Trainer(configuration, observers: [ProgressRenderer(style: .init()) { … }])
/// let result = try trainer.run()
/// ```
/// Everything that can be wrong with the configuration, the data or the weights is found before
/// the run's folder is made. A trainer belongs to one thread.
public final class Trainer {
  /// Every setting of the run.
  public let configuration: TrainingConfiguration
  /// Where it writes.
  public let folder: RunFolder
  /// What is trained.
  public let network: Network
  /// The weights under training.
  public let model: NetworkModel
  /// The moving average of the weights, if one is kept.
  public let averagedModel: NetworkModel?
  /// The processes that train together, of which this is one.
  public let group: ProcessGroup
  /// Asked after every step whether to stop.
  public var stop: StopSignal = .process

  /// The metric by which epochs and checkpoints are ranked.
  public let metric: Metric

  let data: TrainingData
  let objective: any TrainingObjective
  /// The weights that networks share, where those are trained and not the network's own.
  let shared: (any SharedWeights)?
  /// Their moving average.
  let averagedShared: (any SharedWeights)?
  /// Whether they are other than when the run's network took its part.
  var sharedHaveChanged = false
  let parameters: [Tensor]
  /// Sums gradients over the processes; nil for one that trains alone.
  let reducer: GradientReducer?
  /// The signal by which one of the processes was asked to stop.
  var agreedStop: Int32?
  /// Whether the first process has used up its time.
  var agreedBudget = false
  /// Parameters beside the network: those that lead from its features to a teacher's.
  let projections: [NamedTensor]
  let optimizer: any Optimizer
  let average: MovingAverage?
  let clock: ScheduleClock
  let baseRate: Double
  let store: CheckpointStore
  var observers: [any TrainingObserver]
  var state: TrainingState
  /// The checkpoints that the last one saved or loaded needs: it, and those that were best by then.
  var keptBefore: [String] = []
  let firstStep: Int
  /// Whether the folder was made by this trainer, and nothing lies in it yet that someone could want.
  var isNew = false
  /// The lock of a new run until it runs: no other may take the folder for one that was given up.
  var startLock: RunLock?
  /// Lines that were due before observers could listen.
  var notices: [String]
  /// Those of them that are warnings.
  var warnings: Set<String>

  // Timing of this part of the run.
  var sessionStart = ContinuousClock.now
  var secondsBefore = 0.0
  var stepSeconds = 0.0
  /// Whether it was said that nothing is learned.
  var hasWarned = false
  var sessionSteps = 0

  /// Runs of fewer optimizer steps get a warning.
  private static let fewSteps = 100

  /// Prepares a new run.
  ///
  /// - Parameters:
  ///   - configuration: Every setting.
  ///   - network: What to train; nil resolves the configuration's model.
  ///   - observers: Told of everything that happens.
  ///   - group: The processes that train together: each gives its own place in it. The first one writes the
  ///     run's folder; the others need no observers.
  public convenience init(
    _ configuration: TrainingConfiguration, network: Network? = nil,
    observers: [any TrainingObserver] = [], group: ProcessGroup = .single
  ) throws {
    try self.init(
      configuration, network: network, sharing: nil, observers: observers, group: group)
  }

  /// Prepares a new run, perhaps of weights that networks share.
  package convenience init(
    _ configuration: TrainingConfiguration, network: Network?, sharing: (any SharedWeights)?,
    observers: [any TrainingObserver], group: ProcessGroup = .single
  ) throws {
    // What no folder could fix is reported before a missing folder.
    if network == nil { try configuration.requireSuitableNetwork() }
    try configuration.validate()
    var configuration = configuration
    let decisions: [String]
    (configuration.data, decisions) = try configuration.data.resolved()
    let parts = try RunParts(configuration, network: network, group: group)
    configuration = parts.configuration
    let report = try parts.loadInitialWeights()
    try group.meet(configuration, parts)
    let output = configuration.output
    var lock: RunLock?
    let folder = try group.folder {
      let begun = try RunFolder.begin(
        output.name ?? parts.network.name, in: output.folder, overwrites: output.overwrites)
      lock = begun.lock
      return begun.folder
    }
    var isWhole = !group.isFirst
    defer { if !isWhole { folder.discard() } }
    var state = TrainingState()
    if configuration.precision == .float16 { state.lossScaler = LossScaler() }
    state.data = parts.data.record
    state.teacher = parts.teacherDigest
    try self.init(
      configuration, parts: parts, folder: folder, state: state, sharing: sharing,
      observers: observers, group: group)
    sharedHaveChanged = sharing != nil
    guard group.isFirst else {
      try shareState()
      return
    }
    notices = (sharing.map { [$0.summary] } ?? []) + decisions + parts.notices + notices + report
    if clock.totalSteps < Self.fewSteps {
      notices.append(
        "only \(clock.totalSteps) step\(clock.totalSteps == 1 ? "" : "s") in all"
          + " (\(clock.stepsPerEpoch) in each of \(clock.epochs) epochs), too few to learn much:"
          + " raise epochs or lower batchSize")
    }
    try writing {
      try AtomicFile.write(try ConfigurationText.yaml(configuration), to: folder.configuration)
      try AtomicFile.write([UInt8](NetworkFile.json(self.network)), to: folder.network)
      try RunEnvironment.append(
        configuration, group: group, firstStep: 0, to: folder.environment)
      try writeDataRecord()
      try sharing?.write(to: folder.path)
    }
    try shareState()
    isWhole = true
    isNew = true
    startLock = lock
  }

  /// Prepares to go on with a run exactly where its last checkpoint was made. Where that is damaged, the
  /// newest sound one takes its place, a notice says so, and the damaged one stays where it is.
  ///
  /// - Parameters:
  ///   - path: The run's folder.
  ///   - observers: Told of everything that happens from now on.
  ///   - allowsOtherImages: Whether the run may go on where images were added, removed or replaced
  ///     since its last checkpoint; it then goes another way than an unbroken run. Other classes
  ///     are always an error: every label would mean something else.
  ///   - adjust: May change settings that do not affect the numbers: threads of the loader, the
  ///     time budget, the limit of steps, the output; and prolong the run by more `epochs`. A prolonged
  ///     run follows from here on the schedule of its new length, as if it had been begun with it; its
  ///     settings are saved anew.
  ///   - group: The processes that train together, of which there may be others than before. All read the
  ///     run's folder; the first one writes it.
  public convenience init(
    resuming path: String, observers: [any TrainingObserver] = [],
    allowsOtherImages: Bool = false, group: ProcessGroup = .single,
    adjust: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws {
    try self.init(
      resuming: path, sharing: { _, _ in nil }, observers: observers,
      allowsOtherImages: allowsOtherImages, group: group, adjust: adjust)
  }

  /// Prepares to go on with a run, perhaps of weights that networks share: `sharing` makes those by the
  /// settings and the folder.
  package convenience init(
    resuming path: String,
    sharing: (TrainingConfiguration, RunFolder) throws -> (any SharedWeights)?,
    observers: [any TrainingObserver], allowsOtherImages: Bool, group: ProcessGroup = .single,
    adjust: (inout TrainingConfiguration) -> Void
  ) throws {
    let folder = try RunFolder(existing: path)
    let lock = try group.isFirst ? RunLock(folder.path) : nil
    defer { withExtendedLifetime(lock) {} }
    let store = CheckpointStore(path: folder.checkpoints)
    guard !store.names().isEmpty else { throw RunFolderError.endedEarly(path: folder.path) }
    var configuration = try RunParts.readConfiguration(folder.configuration)
    var stored = configuration
    adjust(&configuration)
    let (epochs, before) = (configuration.epochs, stored.epochs)
    try ConfigurationError.require(
      epochs >= before, "epochs", epochs,
      "the run was started with \(before); it can be extended, not shortened")
    stored.epochs = epochs
    try configuration.validate()
    let shared = configuration.supernet.isEnabled ? try sharing(configuration, folder) : nil
    let (name, saved, damaged) = try store.loadNewestSound(
      requiring: Self.requiredFiles + (shared == nil ? [] : [Self.sharedName]))
    var state = saved
    guard state.epoch <= configuration.epochs else {
      throw CheckpointError.mismatch(
        path: store.folder(of: name),
        reason: "it has done \(state.epoch) epochs, and \(folder.configuration) has"
          + " \(configuration.epochs)")
    }
    let parts = try RunParts(
      configuration, network: try RunParts.readNetwork(folder.network),
      classNames: try state.data?.classes ?? Self.classNames(of: name, in: store), group: group)
    let changes = state.data.map { parts.data.record.changes(from: $0) } ?? []
    guard changes.isEmpty || allowsOtherImages else {
      throw TrainingError.otherImages(path: configuration.data.path, changes: changes)
    }
    if let before = state.teacher, let now = parts.teacherDigest, before != now {
      throw TrainingError.otherTeacher(path: configuration.distillation.teacher ?? "")
    }
    configuration = parts.configuration
    try group.meet(configuration, parts, checkpoint: name)
    state.data = parts.data.record
    // Of an epoch that has become shorter, no more than all can be done.
    state.batch = min(state.batch, parts.data.training.batchesPerEpoch)
    try self.init(
      configuration, parts: parts, folder: folder, state: state, sharing: shared,
      observers: observers, group: group)
    sharedHaveChanged = shared != nil
    if group.isFirst { store.removePartial() }
    try restore(name)
    let damage = noteDamage(damaged, resumingFrom: name)
    notices += damage
    warnings.formUnion(damage)
    keptBefore = self.state.best.map(\.name) + [name]
    // All have read what they need before the first one writes.
    try shareState()
    guard group.isFirst else { return }
    try recordResumption(
      from: name, stored: epochs > before ? stored : nil, epochs: before, notices: parts.notices,
      changes: changes)
  }

  private init(
    _ configuration: TrainingConfiguration, parts: RunParts, folder: RunFolder,
    state: TrainingState, sharing: (any SharedWeights)?, observers: [any TrainingObserver],
    group: ProcessGroup
  ) throws {
    guard configuration.supernet.isEnabled == (sharing != nil) else {
      throw ConfigurationError(
        setting: "supernet.space", value: configuration.supernet.space ?? "none",
        expected: "weights that networks share are trained by the search; leave it out to train one"
          + " network")
    }
    self.configuration = configuration
    self.group = group
    self.folder = folder
    let output = configuration.output
    self.observers =
      observers
      + (output.tensorBoard && group.isFirst
        ? [TensorBoardObserver(everySteps: output.logEverySteps)] : [])
    self.state = state
    firstStep = state.step
    secondsBefore = state.seconds
    network = parts.network
    model = parts.model
    data = parts.data
    objective = parts.objective
    metric = try configuration.rankingMetric
    store = CheckpointStore(path: folder.checkpoints)
    let trained = parts.trained
    // What is never trained has no part in the optimizer, nor in its files.
    projections = parts.features?.projections ?? []
    shared = sharing
    let named =
      (sharing?.parameters ?? model.parameters.filter { !trained.isNeverTrained($0.name) })
      + projections
    parameters = named.map(\.tensor)
    let distributed = configuration.distributed
    reducer =
      try group.size == 1
      ? nil
      : GradientReducer(
        parameters, over: group, buckets: .init(others: distributed.bucketMebibytes << 20),
        isShort: distributed.gradients == .bfloat16)
    optimizer = try configuration.optimizer.makeOptimizer(named, rates: trained.rates)
    try model.freeze(
      trained.frozen, resting: configuration.model.restingNorms(hasFrozen: !trained.frozen.isEmpty))
    if configuration.average.isEnabled {
      let averaged = try NetworkModel(
        parts.network, seed: configuration.seed, device: parts.model.device)
      averagedModel = averaged
      averagedShared = try sharing?.copied()
      average = try MovingAverage(
        (averagedShared?.namedState ?? averaged.namedState).map(\.tensor),
        of: (sharing?.namedState ?? model.namedState).map(\.tensor),
        configuration: configuration.average)
    } else {
      averagedModel = nil
      averagedShared = nil
      average = nil
    }
    let batches = data.training.batchesPerEpoch
    let accumulation = configuration.accumulation
    clock = ScheduleClock(
      stepsPerEpoch: (batches + accumulation - 1) / accumulation, epochs: configuration.epochs)
    baseRate = configuration.baseRate.rate
    notices = parts.data.remarks
    warnings = Set(parts.data.warnings)
  }

  /// The model whose scores count: the averaged one, if there is one.
  public var scoredModel: NetworkModel { averagedModel ?? model }

  func writeDataRecord() throws {
    try AtomicFile.write(
      [UInt8](Manifest.encoder.encode(data.record)), to: folder.data)
  }

  func announce(_ event: TrainingEvent) throws {
    try writing { for observer in observers { try observer.handle(event) } }
  }

  func announceStart() throws {
    let costs = try CostReport(network, inputSize: ImageSize(data.inputSize))
    try announce(
      .started(
        RunOverview(
          folder: folder.path, network: network.name, task: configuration.task,
          metric: metric, parameters: costs.parameters,
          multiplyAdds: costs.multiplyAdds, trainingImages: data.training.dataSet.count,
          validationImages: data.validation.dataSet.count, classes: data.classNames.count,
          stepsPerEpoch: clock.stepsPerEpoch, epochs: clock.epochs, firstStep: firstStep,
          learningRate: configuration.baseRate.description,
          device: "\(model.device), "
            + (hasPartners ? "\(group.size) processes of " : "")
            + "\(TorchRuntime.threads) threads, \(configuration.precision.rawValue)")))
    for line in notices {
      try announce(warnings.contains(line) ? .warning(line) : .notice(line))
    }
    notices = []
  }

  /// Runs something that writes to the folder, and says so in one line where that fails.
  func writing<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as RunFolderError {
      guard case .notWritable(_, let code) = error else { throw error }
      throw RunFolderError.notWritable(path: folder.path, code: code)
    } catch let error as FileError {
      throw RunFolderError.notWritable(path: folder.path, code: error.code)
    } catch let error as SafetensorsError {
      guard case .file(let cause) = error.reason else { throw error }
      throw RunFolderError.notWritable(path: folder.path, code: cause.code)
    }
  }
}
