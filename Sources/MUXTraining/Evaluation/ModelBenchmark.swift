// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXNetworks
public import MUXTensor

/// How long a network takes on this machine: for inference, or for a whole training step.
///
/// Steps are timed one by one after a warm-up; the median stands against the noise of a busy
/// machine, and the quartiles show how large that noise was.
public struct ModelBenchmark: Codable, Hashable, Sendable {
  /// What is timed.
  public enum Mode: String, Codable, CaseIterable, Sendable {
    /// The forward pass in inference mode.
    case inference
    /// Forward, loss, backward and an update by SGD with momentum.
    case training
  }

  /// What to time and how.
  public struct Settings: Codable, Hashable, Sendable {
    /// What is timed.
    public var mode: Mode = .inference
    /// Images in a batch.
    public var batchSize = 32
    /// Steps that are timed.
    public var steps = 20
    /// Steps before those, not timed.
    public var warmUp = 3
    /// Threads of the tensor library, for the report.
    public var threads = 1
    /// Whether the fused kernels of this package are used where they apply.
    public var usesFusedKernels = true

    /// Inference at batch 32.
    public init() {}
  }

  /// The network's name.
  public var network: String
  /// The height and width of the timed images.
  public var inputSize: ImageSize
  /// The device that computed, such as `cuda:0`.
  public var device: String
  /// What was timed: mode, batch size, steps and threads.
  public var settings: Settings
  /// Seconds of each timed step, in order.
  public var seconds: [Double]
  /// Of those, seconds until the loss; empty for inference.
  public var forwardSeconds: [Double] = []
  /// Seconds from the loss to the gradients; empty for inference.
  public var backwardSeconds: [Double] = []
  /// Seconds of the optimizer's update; empty for inference.
  public var updateSeconds: [Double] = []

  /// The median of the steps, in seconds.
  public var medianSeconds: Double { RunTimes(seconds).median }
  /// The first and third quartile of the steps, in seconds.
  public var quartileSeconds: [Double] { [0.25, 0.75].map(RunTimes(seconds).quantile) }
  /// Images per second at the median.
  public var imagesPerSecond: Double { Double(settings.batchSize) / max(medianSeconds, 1e-12) }

  /// Runs the benchmark with random weights, images and labels.
  ///
  /// - Parameters:
  ///   - network: what is timed, at its own image size.
  ///   - settings: batch, steps, and what a step is.
  ///   - device: where it runs.
  ///   - progress: told of each timed step and its seconds.
  public init(
    _ network: Network, settings: Settings, device: Device = .cpu,
    progress: (Int, Double) -> Void = { _, _ in }
  ) throws {
    self.network = network.name
    self.settings = settings
    self.device = device.description
    inputSize = network.inputSize
    seconds = []
    TorchRuntime.keepFreedMemory()
    let stepper = try BenchmarkedSteps(network, settings: settings, device: device)
    for step in 0..<settings.warmUp + settings.steps {
      let (passed, phases) = try stepper.step(isFirst: step == 0)
      guard step >= settings.warmUp else { continue }
      seconds.append(passed)
      if let phases {
        forwardSeconds.append(phases.forward)
        backwardSeconds.append(phases.backward)
        updateSeconds.append(phases.update)
      }
      progress(step - settings.warmUp, passed)
    }
  }
}

/// A network with random weights, images and labels, and how a step of it is made and timed.
private struct BenchmarkedSteps {
  /// Seconds of the parts of a training step.
  typealias Phases = (forward: Double, backward: Double, update: Double)

  private let model: NetworkModel
  private let images: Tensor
  private let targets: Tensor
  private let parameters: [Tensor]
  private let momenta: [Tensor]
  private let mode: ModelBenchmark.Mode

  init(_ network: Network, settings: ModelBenchmark.Settings, device: Device) throws {
    mode = settings.mode
    model = try NetworkModel(
      network, seed: 0, device: device, fusesOperations: settings.usesFusedKernels)
    let generator = try TorchGenerator(seed: 0, device: device)
    let size = network.inputSize
    images = try generator.normal(
      [settings.batchSize, network.inputChannels, size.height, size.width])
    let labels = (0..<settings.batchSize).map { Int64($0 % max(network.classCount ?? 1, 1)) }
    targets = try Tensor(labels, device: device)
    parameters = model.parameters.map(\.tensor)
    momenta = mode == .training ? try parameters.map { try $0.filled(0) } : []
    model.isTraining = mode == .training
  }

  /// Makes a step.
  ///
  /// - Parameter isFirst: Whether momenta begin with it.
  /// - Returns: Its seconds, and those of its parts where it trains.
  func step(isFirst: Bool) throws -> (seconds: Double, phases: Phases?) {
    let start = ContinuousClock.now
    switch mode {
    case .inference:
      // Reading a number waits for devices that work in the background.
      _ = try withoutGradient { () throws in
        try model.outputs(images).map { try $0.sum().item() }
      }
      return (Seconds.since(start), nil)
    case .training:
      try ParameterList.zeroGradients(parameters)
      let cleared = ContinuousClock.now
      let loss = try model.forward(images).crossEntropy(targets)
      _ = try loss.item()
      let forward = ContinuousClock.now
      try loss.backward()
      let backward = ContinuousClock.now
      try ParameterList.stepSGD(
        parameters, momenta: momenta, rate: 1e-4, momentum: 0.9, first: isFirst)
      let end = ContinuousClock.now
      return (
        Seconds.of(end - start),
        (
          Seconds.of(forward - cleared), Seconds.of(backward - forward),
          Seconds.of(end - backward)
        )
      )
    }
  }
}
