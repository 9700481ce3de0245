// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
public import MUXNetworks

/// What a network is for: which targets it learns, what its outputs mean, how good they are.
///
/// Trainer, checkpoints, evaluator, search and command line know a task through this protocol alone.
/// A new task is a type that conforms to it, a line in ``TaskRegistry``, an objective in the training
/// half and a reader for its data. The value itself holds the task's settings: a recipe gives the
/// task's name, or its name with settings (``NamedTask``).
public protocol VisionTask: Sendable, Hashable, Codable {
  /// The task for one network and its classes.
  associatedtype Head: TaskHead

  /// What recipes, weights and packed files call it.
  static var name: String { get }

  /// The task with its default settings.
  init()

  /// What is measured. The first one ranks results unless another is asked for. One named `loss` is
  /// shown beside the training loss.
  var metrics: [Metric] { get }

  /// Those of ``metrics`` that say something of so many classes, for people; files have all.
  func metrics(classes: Int) -> [Metric]

  /// Makes sure that the task can be learned from a data set.
  ///
  /// - Throws: An error that says in one line what the task needs.
  func check(_ dataSet: any ImageDataSet) throws

  /// How many values a network's last layer has to give for so many classes; nil where networks for
  /// the task cannot be built from a number alone.
  func outputCount(classes: Int) -> Int?

  /// Makes sure that a network is of a kind that the task can use, whatever classes it is for.
  ///
  /// - Throws: An error that says in one line what the task needs.
  func check(_ network: Network) throws

  /// The task for a network and its classes.
  ///
  /// - Throws: An error that says in one line why the network's outputs do not fit.
  func head(for network: Network, classNames: [String]) throws -> Head

  /// The task with those of its settings filled in that follow from the training images and are not given,
  /// such as the numbers of the classes in files of results.
  func suited(to dataSet: any ImageDataSet) -> Self

  /// The task with those of its settings chosen that depend on results, such as thresholds, from the
  /// results on validation images.
  func tuned(by meter: Head.TaskMeter) -> Self
}

extension VisionTask {
  /// Unless a task needs the number of classes: all its metrics.
  public func metrics(classes: Int) -> [Metric] { metrics }

  /// The metrics in the order in which they are shown: the loss first, then as they rank.
  public var shownMetrics: [Metric] {
    metrics.filter { $0.name == Metric.loss.name } + metrics.filter { $0.name != Metric.loss.name }
  }

  /// The metric of a name; the first one for nil.
  ///
  /// - Throws: ``TaskError/unknownMetric(task:name:known:)``.
  public func metric(named name: String?) throws(TaskError) -> Metric {
    guard let found = metrics.first(where: { name == nil || $0.name == name }) else {
      throw .unknownMetric(
        task: Self.name, name: name ?? "", known: metrics.map(\.name))
    }
    return found
  }

  /// A task whose networks are built from a number of classes needs one output.
  public func check(_ network: Network) throws {
    guard network.outputs.count > 1, outputCount(classes: 2) != nil else { return }
    throw TaskError.severalOutputs(
      task: Self.name, network: network.name, count: network.outputs.count)
  }

  /// Nothing follows from the images.
  public func suited(to dataSet: any ImageDataSet) -> Self { self }

  /// Nothing is to be chosen.
  public func tuned(by meter: Head.TaskMeter) -> Self { self }
}

/// A task for one network and its classes: makes sense of the network's outputs.
public protocol TaskHead: Sendable {
  /// What is said about one image.
  associatedtype Output: TaskOutput
  /// What counts.
  associatedtype TaskMeter: Meter

  /// Turns the outputs for some images into what is said about each.
  ///
  /// - Parameters:
  ///   - outputs: All outputs of the network.
  ///   - original: The sizes of the images before they were prepared.
  ///   - settings: How much is said.
  /// - Throws: ``TaskError`` where the outputs are not of the expected shapes.
  func decode(
    _ outputs: [OutputTensor], original: [ImageSize], settings: DecodingSettings
  ) throws -> [Output]

  /// A meter that has counted nothing.
  func makeMeter() -> TaskMeter

  /// Compares the outputs for some images with their targets, and counts.
  ///
  /// - Throws: ``TaskError`` where outputs or targets are not those of the task.
  func measure(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize],
    into meter: inout TaskMeter
  ) throws

  /// What is said about each of some images beside what is true of them; none where the task cannot tell.
  ///
  /// - Throws: ``TaskError`` where outputs or targets are not those of the task.
  func verdicts(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize]
  ) throws -> [ImageVerdict]

  /// Counts the decisions that two computations of the same outputs agree on, such as those of another
  /// precision; nil where the task has none that can be counted.
  ///
  /// - Throws: ``TaskError`` where the outputs are not of the expected shapes.
  func agreement(_ outputs: [OutputTensor], _ reference: [OutputTensor]) throws -> DecisionCount?

  /// The outputs that stand for the mean of the probabilities of several views of the same images.
  ///
  /// - Parameter views: The outputs for each view; none makes sure that the task can average at all.
  /// - Throws: ``TaskError/notAveraged`` where it cannot.
  func average(_ views: [[OutputTensor]]) throws -> [OutputTensor]

  /// Formats in which predictions are written, beside text and JSON.
  var formats: [PredictionFormat<Output>] { get }

  /// The head for images that a pipeline prepares, where it matters what that does to the places of
  /// things.
  func forImages(preparedBy pipeline: ImagePipeline) -> Self
}

extension TaskHead {
  /// Not possible, unless a task says how.
  public func average(_ views: [[OutputTensor]]) throws -> [OutputTensor] {
    throw TaskError.notAveraged
  }

  /// None.
  public var formats: [PredictionFormat<Output>] { [] }

  /// The same: places do not matter.
  public func forImages(preparedBy pipeline: ImagePipeline) -> Self { self }

  /// None.
  public func verdicts(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize]
  ) throws -> [ImageVerdict] { [] }

  /// None that can be counted.
  public func agreement(
    _ outputs: [OutputTensor], _ reference: [OutputTensor]
  ) throws -> DecisionCount? { nil }
}

/// How much is said about an image.
public struct DecodingSettings: Sendable, Hashable {
  /// The most classes (or boxes); nil leaves it to the task.
  public var limit: Int?
  /// The least probability; nil leaves it to the task.
  public var threshold: Double?
  /// How much two boxes of one class may overlap, 0…1; nil leaves it to the task.
  public var overlap: Double?

  /// Settings; what is nil is left to the task.
  public init(limit: Int? = nil, threshold: Double? = nil, overlap: Double? = nil) {
    self.limit = limit
    self.threshold = threshold
    self.overlap = overlap
  }
}

/// What is said about one image. In JSON its keys stand beside the path of the image.
public protocol TaskOutput: Sendable, Encodable {
  /// One line for people.
  var text: String { get }
  /// What of it can be drawn into the image; nil where nothing has a place.
  var drawnBoxes: [DrawnBox]? { get }
}

extension TaskOutput {
  /// Nothing has a place.
  public var drawnBoxes: [DrawnBox]? { nil }
}

/// Sums and lists over images, which two processes can put together.
public protocol Meter: Sendable, Codable {
  /// What an evaluation says beside the scores, in JSON.
  associatedtype Details: Encodable & Sendable

  /// Images counted.
  var count: Int { get }
  /// Takes in what another meter of the same task and classes has counted.
  mutating func merge(_ other: Self)
  /// The values of the task's metrics.
  func scores() -> Scores
  /// What an evaluation says beside the scores.
  func details() -> Details
  /// The scores in rows and columns, class by class as a rule.
  func tables() -> [ScoreTable]
  /// How often each class was taken for each; nil where an image is not of one class.
  func confusion() -> ConfusionTable?
  /// Curves that say more than the scores.
  func charts() -> [ScoreChart]
  /// Between which values scores lie when whole groups of images are drawn anew; nil where the task does
  /// not say.
  ///
  /// - Parameters:
  ///   - groups: The group of each image from 0, in the order in which they were counted.
  ///   - resampling: How many draws there are, what share of them an interval holds, and the seed.
  func intervals(groups: [Int], _ resampling: Resampling) -> ScoreIntervals?
}

extension Meter {
  /// Not said.
  public func intervals(groups: [Int], _ resampling: Resampling) -> ScoreIntervals? { nil }

  /// None.
  public func confusion() -> ConfusionTable? { nil }

  /// None.
  public func charts() -> [ScoreChart] { [] }
}

/// A way to write predictions, beside text and JSON.
public struct PredictionFormat<Output: TaskOutput>: Sendable {
  /// What users call it, such as `csv`.
  public let name: String
  /// The text for some images.
  public let text: @Sendable ([(path: String, output: Output)]) throws -> String

  /// A format.
  public init(
    name: String, text: @escaping @Sendable ([(path: String, output: Output)]) throws -> String
  ) {
    self.name = name
    self.text = text
  }
}
