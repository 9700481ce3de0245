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
  /// The image size.
  public var inputSize: ImageSize
  /// The device.
  public var device: String
  /// The settings.
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
    let model = try NetworkModel(
      network, seed: 0, device: device, fusesOperations: settings.usesFusedKernels)
    let generator = try TorchGenerator(seed: 0, device: device)
    let size = network.inputSize
    let images = try generator.normal(
      [settings.batchSize, network.inputChannels, size.height, size.width])
    let labels = (0..<settings.batchSize).map { Int64($0 % max(network.classCount ?? 1, 1)) }
    let targets = try Tensor(labels, device: device)
    let parameters = model.parameters.map(\.tensor)
    let momenta = settings.mode == .training ? try parameters.map { try $0.filled(0) } : []
    model.isTraining = settings.mode == .training
    let clock = ContinuousClock()
    for step in 0..<settings.warmUp + settings.steps {
      var marks: [ContinuousClock.Instant] = []
      let duration = try clock.measure {
        switch settings.mode {
        case .inference:
          // Reading a number waits for devices that work in the background.
          _ = try withoutGradient { () throws in
            try model.outputs(images).map { try $0.sum().item() }
          }
        case .training:
          try ParameterList.zeroGradients(parameters)
          marks.append(clock.now)
          let loss = try model.forward(images).crossEntropy(targets)
          _ = try loss.item()
          marks.append(clock.now)
          try loss.backward()
          marks.append(clock.now)
          try ParameterList.stepSGD(
            parameters, momenta: momenta, rate: 1e-4, momentum: 0.9, first: step == 0)
          marks.append(clock.now)
        }
      }
      guard step >= settings.warmUp else { continue }
      let passed = Seconds.of(duration)
      seconds.append(passed)
      if marks.count == 4 {
        forwardSeconds.append((marks[1] - marks[0]) / .seconds(1))
        backwardSeconds.append((marks[2] - marks[1]) / .seconds(1))
        updateSeconds.append((marks[3] - marks[2]) / .seconds(1))
      }
      progress(step - settings.warmUp, passed)
    }
  }
}
