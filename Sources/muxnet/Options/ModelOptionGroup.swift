// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXNetworkFiles
import MUXNetworks

/// Which network, and what is changed in it.
struct ModelOptionGroup: ParsableArguments {
  @Argument(
    help: """
      A name of the zoo, a block-string file, a network file (.json, .yaml), the folder of a run, \
      weights that hold their network, or a packed file.
      """)
  var model: String

  @OptionGroup var changes: ModelChangeOptions

  /// The network that the user means.
  func network() throws -> Network { try ModelSource(self).network }
}

/// What is changed in a network.
struct ModelChangeOptions: ParsableArguments {
  @Option(help: "Outputs of the classifier.")
  var classes: Int?

  @Option(help: "Height and width of the input in pixels: 224, or 192x256 (height first).")
  var inputSize: ImageSize?

  @Option(help: "Channels of the input.")
  var inputChannels: Int?

  @Option(help: "Width multiplier.")
  var width: Double?

  @Option(help: "Output stride, for small images: 8 suits 32×32 (default: 32).")
  var outputStride: Int?

  func validate() throws {
    for (name, value) in [
      ("classes", classes), ("input-channels", inputChannels), ("output-stride", outputStride),
    ] {
      if let value, value < 1 {
        throw ValidationError("--\(name) must be at least 1, not \(value)")
      }
    }
    if let width, !(width > 0) { throw ValidationError("--width must be above 0, not \(width)") }
  }

  /// The network that `model` names, changed; nil without a name, where nothing can be changed either.
  func network(_ model: String?) throws -> Network? {
    if let model { return try NetworkFile.resolve(model, options: options) }
    guard options == ModelOptions() else {
      throw CommandError(
        "the weights have a network of their own, which --classes, --input-size, --input-channels,"
          + " --width and --output-stride do not change; leave them out, or name one with --model")
    }
    return nil
  }

  /// The names of the options, and whether they were given.
  var given: [(name: String, isGiven: Bool)] {
    [
      ("classes", classes != nil), ("input-size", inputSize != nil),
      ("input-channels", inputChannels != nil), ("width", width != nil),
      ("output-stride", outputStride != nil),
    ]
  }

  var options: ModelOptions {
    ModelOptions(
      classes: classes, inputChannels: inputChannels, inputSize: inputSize,
      widthMultiplier: width, outputStride: outputStride)
  }
}
