// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What can go wrong when a plan is made or run.
public enum RuntimeError: Error, Sendable, Hashable {
  /// A layer that the runtime cannot run.
  case unsupported(layer: String, reason: String)
  /// A file that is not a runtime model, is damaged, or changed while it was mapped.
  case modelFile(path: String, reason: String)
  /// Classes or a preparation of images that do not fit the network.
  case description(network: String, reason: String)
  /// A packed model of another precision than is asked for.
  case precision(path: String, held: String, asked: String)
  /// Widths of vectors that weights cannot be packed for.
  case lanes([Int], possible: [Int])
  /// An instruction set that this processor lacks.
  case instructionSet(String)
  /// A number of threads that cannot be used.
  case threads(Int)
  /// An image that cannot be prepared for the network.
  case preparation(reason: String)
  /// A network that gives something else than one value for each class.
  case notClassifier(network: String)
  /// Images can be classified by classifiers only; this network is for something else.
  case otherTask(network: String, task: String)
  /// Things can be found by detectors only; this network is for something else (classification for nil).
  case notDetector(network: String, task: String?)
  /// A network that does not end with a fully connected layer, whose input could be given.
  case noFeatures(network: String)
  /// Pixels of another number than the plan takes.
  case pixelCount(expected: Int, actual: Int, shape: String)
  /// A number of engines that no pool can have.
  case poolSize(Int)
  /// A way to gather batches that no pool can have.
  case batching(images: Int, seconds: Double)
  /// A number of calls that no pool can let wait.
  case waitingLimit(Int)
  /// A pool in which as many calls wait as may.
  case poolFull(waiting: Int)
  /// A call to a pool that was shut down.
  case poolShutDown
  /// A number of images that no batch can have.
  case imageCount(Int)
  /// A number of guesses that is less than none.
  case guessCount(Int)
  /// A number of runs that nothing can be measured in.
  case runCount(Int)
  /// A calibration that lacks the range of a layer's tensor.
  case calibration(layer: String)
  /// Pixels that are infinite or not a number.
  case notFinite
  /// Results that are infinite or not a number, though the pixels of the image (its place in the
  /// batch) were finite.
  case resultNotFinite(network: String, image: Int)
  /// A call to an engine that is at work for another one.
  case engineInUse
}

extension RuntimeError: DescribedError {
  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .unsupported(let layer, let reason): return "layer '\(layer)': \(reason)"
    case .modelFile(let path, let reason): return "\(path): \(reason)"
    case .description(let network, let reason):
      return "the description of network '\(network)' does not fit: \(reason); give what it was"
        + " trained with"
    case .precision(let path, let held, let asked):
      return "\(path): it is packed for \(held), not \(asked); leave the precision out, or pack"
        + " the weights for \(asked)"
    case .lanes(let lanes, let possible):
      return "weights cannot be packed for vectors of"
        + " \(lanes.map(String.init).joined(separator: ", ")) lanes; choose among"
        + " \(possible.map(String.init).joined(separator: ", "))"
    case .instructionSet(let name):
      return "this processor cannot run '\(name)' kernels; leave the choice out to get its best"
    case .threads(let count):
      return "\(count) threads cannot run a plan; use 1 to 1024, best the number of cores"
    case .preparation(let reason): return "the image cannot be prepared: \(reason)"
    case .otherTask(let network, let task):
      return "the network '\(network)' is not for classification but for the task '\(task)': run it"
        + " on the prepared pixels, and decode its outputs as that task does"
    case .notDetector(let network, let task):
      return "the network '\(network)' is not for detection but for"
        + " \(task.map { "the task '\($0)'" } ?? "classification"); give a model that was packed with"
        + " the task detection"
    case .notClassifier(let network):
      return "network '\(network)' does not give one value for each class; run it on pixels"
        + " instead of classifying"
    case .pixelCount(let expected, let actual, let shape):
      return "the engine takes images of \(shape), which are \(expected) numbers, not \(actual);"
        + " resize the image or make a plan for its size"
    case .poolSize(let count):
      return "a pool cannot have \(count) engines; use 1 to"
        + " \(PoolLimits.engines.upperBound), best the number of cores"
    case .noFeatures(let network):
      return
        "network '\(network)' does not end with a fully connected layer, whose input would be the"
        + " features; run it and take its outputs"
    case .batching(let images, let seconds):
      return "cannot gather batches of \(images) images within \(seconds) seconds; use 1 to"
        + " \(PoolLimits.images.upperBound) images and 0 to"
        + " \(Int(PoolLimits.seconds.upperBound)) seconds"
    case .waitingLimit(let count):
      return "a pool cannot let \(count) calls wait; use 0 or more, or nil to let all wait"
    case .poolFull(let waiting):
      return
        "the pool has \(waiting) calls waiting, as many as it may; call again later, or give it"
        + " more engines"
    case .poolShutDown:
      return "the pool was shut down; create another one"
    case .imageCount(let count):
      return "a batch cannot have \(count) images; give fewer, and none less than 0"
    case .guessCount(let count):
      return "cannot give the \(count) most likely classes; ask for 0 or more"
    case .runCount(let count):
      return "cannot time \(count) runs; take at least 1, after 0 or more warm-up runs"
    case .calibration(let layer):
      return "the calibration has no range for '\(layer)'; calibrate this network on some images"
    case .notFinite:
      return "the pixels hold a number that is infinite or not a number; check the normalisation"
    case .resultNotFinite(let network, let image):
      return "network '\(network)' gives numbers that are infinite or not a number for image"
        + " \(image) of those given; its pixels or the network's weights are too large: check the"
        + " normalisation and the weights"
    case .engineInUse:
      return "the engine is in use by another caller; use one engine for each (they can share a"
        + " plan)"
    }
  }
}
