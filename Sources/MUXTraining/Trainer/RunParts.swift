// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
package import MUXEvaluation
package import MUXImages
import MUXNetworkFiles
package import MUXNetworks
import MUXTasks
import MUXTensor
import MUXVision
import MUXWeights

/// What a run is made of before it has a folder.
struct RunParts {
  let network: Network
  let model: NetworkModel
  let data: TrainingData
  /// The settings, with a batch that the data can fill.
  let configuration: TrainingConfiguration
  /// What was changed in them, a line each.
  let notices: [String]
  let objective: any TrainingObjective
  /// What of the network is trained, and how fast.
  let trained: TrainedParameters
  /// A hash of the teacher's weights, if there is one.
  let teacherDigest: String?
  /// What learns from the teacher's features, if anything does.
  let features: FeatureMatching?
  /// The bias with which the head starts, where it is to know how often the classes occur.
  let headBias: [Float]?

  /// Opens the data, resolves the network and makes fresh weights.
  ///
  /// - Parameters:
  ///   - configuration: Every setting.
  ///   - given: What to train; nil resolves the configuration's model.
  ///   - classNames: The classes in the order of the labels, of a run that goes on; nil takes those
  ///     of the data.
  ///   - group: The processes that train together, of which this one makes its share.
  init(
    _ configuration: TrainingConfiguration, network given: Network?, classNames: [String]? = nil,
    group: ProcessGroup = .single
  ) throws {
    var configuration = configuration
    if given == nil { try configuration.requireSuitableNetwork() }
    let device = try Self.prepareMachine(&configuration, group: group)
    let opened = try OpenedData(&configuration, classNames: classNames)
    let training = opened.training
    var notices = opened.notices
    network = try given ?? configuration.resolveNetwork(for: training)
    // A run that goes on has them in its settings.
    if classNames == nil {
      notices += configuration.takePreparation(channels: network.inputChannels)
    }
    let shares =
      configuration.data.sampler == .balanced
      ? SampleShares(balancing: training, strength: configuration.data.samplerStrength) : nil
    let objectiveSettings = ObjectiveSettings(
      mixing: configuration.mixing, seed: configuration.seed, training: training,
      weighing: configuration.objective, shares: shares)
    let task = configuration.task.task
    let base = try task.trainable(
      objectiveSettings, network: network, classNames: training.classNames)
    trained = try TrainedParameters(configuration, network: network)
    headBias =
      configuration.model.headBias == .prior
      ? try task.priorBias(objectiveSettings, network: network, classNames: training.classNames)
      : nil
    let size = configuration.model.inputSize ?? network.inputSize.height
    try Self.checkNorms(
      network, inputSize: ImageSize(size), configuration, trained, group)
    data = try TrainingData(
      configuration, training: training, validation: opened.validation, inputSize: size,
      channels: network.inputChannels, shares: shares,
      share: group.size == 1
        ? nil : LoaderShare(.images, rank: group.rank, of: group.size))
    model = try NetworkModel(network, seed: configuration.seed, device: device)
    model.checkpointsActivations = configuration.model.checkpointsActivations
    let taught = try TaughtObjective(base, configuration, student: model, data: data, size: size)
    objective = taught.objective
    teacherDigest = taught.digest
    features = taught.features
    self.configuration = configuration
    self.notices = notices + taught.notices + trained.notices
  }

  /// Refuses images that are too small for the network, and one image where a batch norm would see one value
  /// per channel: that has no variance.
  private static func checkNorms(
    _ network: Network, inputSize: ImageSize, _ configuration: TrainingConfiguration,
    _ trained: TrainedParameters, _ group: ProcessGroup
  ) throws {
    let shapes = try network.shapes(inputSize: inputSize)
    let processes = configuration.distributed.synchronizedNorms ? 1 : group.size
    guard configuration.batchSize / processes == 1 else { return }
    // Those that rest use running statistics. But what rests for some epochs only follows the batches later,
    // and for a mean of weights the statistics of all are measured over batches.
    let average = configuration.average
    let restsForGood =
      configuration.model.freezeEpochs == nil && !(average.isEnabled && average.kind == .swa)
    let frozen = restsForGood ? trained.frozen : []
    let resting = network.resting(
      configuration.model.restingNorms(hasFrozen: !frozen.isEmpty), frozen: frozen)
    for (index, node) in network.nodes.enumerated()
    where node.isBatchNorm && shapes[index].height * shapes[index].width == 1
      && !resting.contains(index)
    {
      throw ConfigurationError(
        setting: "batchSize", value: "\(configuration.batchSize)",
        expected: "'\(node.name)' normalises one pixel of an image, which has no variance: give"
          + " each process at least 2 images")
    }
  }

  /// Finds the device, and sets up threads and memory of the process.
  private static func prepareMachine(
    _ configuration: inout TrainingConfiguration, group: ProcessGroup
  ) throws -> Device {
    // Processes of one machine have a graphics processor each.
    if configuration.device == "cuda", group.localRank > 0 {
      configuration.device = "cuda:\(group.localRank)"
    }
    let device = try Device(name: configuration.device)
    try device.requireAvailable()
    // Who computes activations anew has little memory: what is freed goes back at once.
    if !configuration.model.checkpointsActivations { TorchRuntime.keepFreedMemory() }
    try TorchRuntime.setThreads(
      configuration.threads > 0
        ? configuration.threads
        : max(ProcessInfo.processInfo.activeProcessorCount / group.localSize, 1))
    return device
  }

  /// Loads the weights that the configuration starts from.
  ///
  /// - Returns: A line about what was loaded, and one about what the head starts from, if there is
  ///   something to say.
  func loadInitialWeights() throws -> [String] {
    let settings = configuration.model
    guard let path = settings.initialWeights else {
      if let headBias { try model.setHeadBias(headBias) }
      return []
    }
    let tolerance: LoadTolerance =
      settings.allowsPartialWeights ? .partial : settings.replacesHead ? .newHead : .exact
    let file = try WeightsSource.load(path, prefersAveraged: settings.prefersAveragedWeights)
    let archive = file.archive.namedAsBackbone(of: network)
    let report = try model.load(archive, from: path, allowing: tolerance)
    let fresh = report.missing + report.mismatched.map(\.name)
    try model.drawNewHead(fresh, seed: configuration.seed)
    var lines = [
      "initial weights from \(path): \(report)"
        + (fresh.isEmpty ? "" : "; \(Self.list(fresh)) start\(fresh.count == 1 ? "s" : "") anew")
        + (file.remark.map { "; \($0)" } ?? "")
    ]
    if let headBias {
      if let name = model.headBiasName, report.loaded.contains(name) {
        lines.append("\(name) is that of the initial weights, not the classes' (model.headBias)")
      } else {
        try model.setHeadBias(headBias)
      }
    }
    return lines
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(6).joined(separator: ", ") + (names.count > 6 ? ", … (\(names.count))" : "")
  }

  /// Reads the settings of a run, all of which are there: a file that lacks its end would be read with
  /// defaults, and another run would go on.
  static func readConfiguration(_ path: String) throws -> TrainingConfiguration {
    let tree = try ConfigurationTree(contentsOf: path)
    let settings = try tree.decode(TrainingConfiguration.self)
    do { _ = try tree.keeping(["accumulation", "threads"]).decode(ConfigurationEnds.self) } catch {
      throw CheckpointError.unreadable(
        path: path, reason: "it is not whole; restore the settings that the run was started with")
    }
    return settings
  }

  /// The first and the last setting in the order in which every version wrote them.
  private struct ConfigurationEnds: Decodable {
    var accumulation: Int
    var threads: Int
  }

  static func readNetwork(_ path: String) throws -> Network {
    switch try NetworkFile.read(URL(filePath: path)) {
    case .network(let network): return network
    case .architecture(let architecture): return try architecture.network()
    }
  }
}

/// Both parts of a run's data, of which its task has seen that they suit it.
private struct OpenedData {
  let training: any ImageDataSet
  let validation: any ImageDataSet
  /// What was changed in the settings to suit the data, a line each.
  let notices: [String]

  /// Opens the data, and fits batch and task of the settings to it.
  init(_ configuration: inout TrainingConfiguration, classNames: [String]?) throws {
    training = try configuration.data.open(.training, classNames: classNames)
    if let classNames, classNames != training.classNames {
      throw TrainingError.otherClasses(before: classNames, now: training.classNames)
    }
    // A run that goes on keeps the length that it was begun with.
    let epochs = configuration.epochs
    notices = configuration.fit(images: training.count)
    if classNames != nil { configuration.epochs = epochs }
    validation = try configuration.data.open(.validation, classNames: training.classNames)
    let task = configuration.task.task.suited(to: training)
    configuration.task = NamedTask(task)
    for part in [training, validation] { try task.check(part) }
    for part in [training, validation] { try part.checkClasses() }
  }
}

/// What a run learns: its task's objective, towards a teacher's outputs and features where there is one.
private struct TaughtObjective {
  let objective: any TrainingObjective
  /// A hash of the teacher's weights.
  var digest: String?
  var features: FeatureMatching?
  var notices: [String] = []

  init(
    _ base: any TrainingObjective, _ configuration: TrainingConfiguration, student: NetworkModel,
    data: TrainingData, size: Int
  ) throws {
    let distillation = configuration.distillation
    guard let path = distillation.teacher else {
      objective = base
      return
    }
    let teacher = try Teacher(
      path: path, task: configuration.task, classNames: data.training.dataSet.classNames,
      student: data.evaluationPipeline, device: student.device,
      givesFeatures: !distillation.features.isEmpty)
    if !distillation.features.isEmpty {
      let matching = try FeatureMatching(
        distillation.features, student: student, size: ImageSize(size), teacher: teacher.network,
        teacherSize: teacher.imageSize, seed: configuration.seed)
      teacher.layers = matching.teacherLayers
      notices = [matching.summary]
      features = matching
    }
    let mixing = configuration.mixing
    // Images that never change get the same answers in every epoch.
    if distillation.features.isEmpty, data.training.pipeline.isFixed, mixing.mixup == 0,
      mixing.cutmix == 0, configuration.epochs > 1
    {
      try teacher.learn(data.training)
    }
    objective = try configuration.task.task.distilled(
      base, teacher: teacher, settings: distillation, features: features)
    digest = teacher.digest
    notices += teacher.notices
  }
}

extension TrainingConfiguration {
  /// Every setting of a run, as its folder has them.
  package init(ofRun folder: RunFolder) throws {
    self = try RunParts.readConfiguration(folder.configuration)
  }
}

extension TensorArchive {
  /// Weights of a classifier under the names that a detector gives its backbone; weights that have names of
  /// the detector already, or of something else, stay as they are.
  func namedAsBackbone(of network: Network) -> TensorArchive {
    let layers = ModelZoo.backboneNames(of: network)
    guard !layers.isEmpty else { return self }
    let clean = unwrapped
    var own: [String: String] = [:]
    for parameter in network.parameters {
      guard clean[parameter.name] == nil else { return self }
      guard let dot = parameter.name.lastIndex(of: "."),
        let layer = layers[String(parameter.name[..<dot])]
      else { continue }
      own[layer + parameter.name[dot...]] = parameter.name
    }
    let named = clean.named(for: network.parameters)
    return named.names.contains { own[$0] != nil } ? named.renamed { own[$0] ?? $0 } : self
  }
}

extension TrainingConfiguration {
  /// Finds out whether there is such a network and whether it suits the task, before any data is read
  /// and before settings of it are judged.
  func requireSuitableNetwork() throws {
    let network = try NetworkFile.resolve(model.name)
    try task.task.check(network)
  }

  /// The network of these settings, with the outputs that the task needs for the classes of some data.
  ///
  /// - Parameters:
  ///   - data: The training images.
  ///   - architecture: Block strings in the place of the model's name; nil takes that.
  package func resolveNetwork(
    for data: any ImageDataSet, of architecture: Architecture? = nil
  ) throws -> Network {
    let options = ModelOptions(
      classes: model.classes ?? task.task.outputCount(classes: data.classNames.count),
      inputChannels: model.inputChannels, inputSize: model.inputSize.map { ImageSize($0) },
      widthMultiplier: model.width == 1 ? nil : model.width, outputStride: model.outputStride,
      dropoutRate: model.dropout, dropPathRate: model.dropPath)
    if let architecture { return try architecture.applying(options).network() }
    return try NetworkFile.resolve(model.name, options: options)
  }
}
