// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// A network of the ablation of figure 8 on small images, with what is turned in it.
package struct AblationNetwork: Sendable, Hashable {
  /// What is turned.
  package enum Knob: String, Sendable, Hashable, CaseIterable {
    /// The width alone: what the others are compared with.
    case width
    /// Spatial multiplexing in the repeat blocks.
    case multiplexing
    /// Depthwise kernels of 5×5 in the repeat blocks, which see as far as multiplexing does: the control.
    case kernel
    /// Channels that the repeat blocks leave out.
    case leaveOut
    /// The size of the images.
    case resolution
  }

  /// Its name in the list of trainings.
  package var name: String
  /// What is turned.
  package var knob: Knob
  /// Multiplies the channels of all layers.
  package var width: Double
  /// The side of the images in pixels.
  package var inputSize: Int
  /// The network, before it is fitted to the images.
  package var architecture: Architecture

  private init(
    _ name: String, _ knob: Knob, _ width: Double, inputSize: Int = 32,
    _ change: (inout MobileNetV2) -> Void = { _ in }
  ) {
    self.name = name
    self.knob = knob
    self.width = width
    self.inputSize = inputSize
    var network = MobileNetV2(widthMultiplier: width)
    change(&network)
    architecture = network.architecture()
  }

  /// The networks for 32×32 pixels: three widths plain, with multiplexing and with larger kernels; at the
  /// widest also channels left out, and images of half the side.
  package static let small: [AblationNetwork] =
    [0.1, 0.25, 0.5].flatMap { width in
      [
        AblationNetwork("w\(width)", .width, width),
        AblationNetwork("w\(width) multiplexed", .multiplexing, width) {
          $0.usesSpatialMultiplexing = true
        },
        AblationNetwork("w\(width) kernel 5", .kernel, width) { $0.repeatKernelSize = 5 },
      ]
    }
    + [0.25, 0.5].map { ratio in
      AblationNetwork("w0.5 leave-out \(ratio)", .leaveOut, 0.5) { $0.leaveOutRatio = ratio }
    } + [AblationNetwork("w0.5 at 16", .resolution, 0.5, inputSize: 16)]
}

/// What a training of such a network came to.
package struct AblationResult: Sendable, Hashable {
  package var network: AblationNetwork
  /// The seed, by which results are paired.
  package var seed: UInt64
  /// The share of test images whose class was found.
  package var accuracy: Double
  package var parameters: Double
  /// Multiply-adds of one image.
  package var multiplyAdds: Double

  package init(
    network: AblationNetwork, seed: UInt64, accuracy: Double, parameters: Double,
    multiplyAdds: Double
  ) {
    self.network = network
    self.seed = seed
    self.accuracy = accuracy
    self.parameters = parameters
    self.multiplyAdds = multiplyAdds
  }
}

/// The results of an ablation, and how they were come by.
package struct Ablation: Sendable, Hashable {
  /// One for each training that is done.
  package var results: [AblationResult]
  /// How many trainings there are in all.
  package var planned: Int
  /// What the images are, and how long was trained.
  package var remark: String
  /// The command that trains.
  package var command: String

  package init(results: [AblationResult], planned: Int, remark: String, command: String) {
    self.results = results
    self.planned = planned
    self.remark = remark
    self.command = command
  }

  /// The accuracies of a network by seed, in percent.
  func accuracies(_ network: AblationNetwork) -> [UInt64: Double] {
    Dictionary(
      results.filter { $0.network == network }.map { ($0.seed, 100 * $0.accuracy) },
      uniquingKeysWith: { $1 })
  }

  /// What a network gains over the plain one of its width, in points, paired by seed; nil for plain ones
  /// and where no seed has both.
  package func gain(_ network: AblationNetwork) -> [UInt64: Double] {
    guard network.knob != .width,
      let plain = AblationNetwork.small.first(where: {
        $0.knob == .width && $0.width == network.width
      })
    else { return [:] }
    let (own, base) = (accuracies(network), accuracies(plain))
    return own.reduce(into: [:]) { gains, entry in
      if let other = base[entry.key] { gains[entry.key] = entry.value - other }
    }
  }

  /// How much more multiplexing gains at one width than at another, paired by seed.
  package func gain(of knob: AblationNetwork.Knob, at width: Double, over other: Double)
    -> PairedGain?
  {
    func gains(_ width: Double) -> [UInt64: Double] {
      AblationNetwork.small.first { $0.knob == knob && $0.width == width }.map(gain) ?? [:]
    }
    let (small, large) = (gains(width), gains(other))
    return PairedGain(
      small.keys.sorted().compactMap { seed in large[seed].map { (small[seed] ?? 0) - $0 } })
  }
}
