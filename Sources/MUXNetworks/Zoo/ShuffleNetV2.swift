// SPDX-License-Identifier: Apache-2.0

/// ShuffleNetV2 (Ma et al. 2018), as in torchvision: half of the channels go through a unit, all
/// are shuffled; the first unit of a stage halves the image and works on all channels twice.
enum ShuffleNetV2: String, CaseIterable {
  case half = "050"
  case single = "100"
  case oneAndHalf = "150"
  case double = "200"

  /// The name in timm's style.
  var name: String { "shufflenetv2_\(rawValue)" }

  /// The widths of the three stages and of the last convolution.
  private var widths: (stages: [Int], head: Int) {
    switch self {
    case .half: ([48, 96, 192], 1024)
    case .single: ([116, 232, 464], 1024)
    case .oneAndHalf: ([176, 352, 704], 1024)
    case .double: ([244, 488, 976], 2048)
    }
  }

  /// 1.0×: 2,278,604 parameters, 144,907,992 multiply-adds.
  func network(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    var builder = options.builder(name)
    var x = builder.block("stem", summary: "convolution k3 s2, maximum k3 s2") { builder in
      let x = Self.convolve(
        &builder, builder.input, "conv1", 0, outputChannels: 24, kernelSize: 3, stride: 2)
      return builder.pool(
        x, "maxpool", Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1))
    }
    for (stage, (width, count)) in zip(widths.stages, [4, 8, 4]).enumerated() {
      for index in 0..<count {
        let unit = "stage\(stage + 2).\(index)"
        x = builder.block(
          unit, summary: index == 0 ? "down unit c\(width)" : "unit on half of c\(width)"
        ) { builder in
          index == 0
            ? Self.downUnit(&builder, x, unit, width: width / 2) : Self.unit(&builder, x, unit)
        }
      }
    }
    x = builder.block("head", summary: "1×1 convolution") { builder in
      Self.convolve(&builder, x, "conv5", 0, outputChannels: widths.head)
    }
    _ = builder.block("classifier", summary: "global mean, linear") { builder in
      builder.classify(
        x, "fc", classes: options.classes, dropoutRate: options.dropoutRate ?? 0)
    }
    return try builder.build()
  }

  private typealias Value = NetworkBuilder.Value

  /// Convolution, batch norm and activation, at three positions of a list of layers.
  private static func convolve(
    _ builder: inout NetworkBuilder, _ value: Value, _ name: String, _ position: Int,
    outputChannels: Int, kernelSize: Int = 1, stride: Int = 1, groups: Int = 1,
    activation: Activation = .relu
  ) -> Value {
    var x = builder.convolution(
      value, "\(name).\(position)", outputChannels: outputChannels, kernelSize: kernelSize,
      stride: stride, groups: groups)
    x = builder.batchNormalization(x, "\(name).\(position + 1)")
    return builder.activation(x, "\(name).\(position + 2)", activation)
  }

  /// 1×1, depthwise 3×3, 1×1.
  private static func mainBranch(
    _ builder: inout NetworkBuilder, _ value: Value, _ name: String, width: Int, stride: Int
  ) -> Value {
    var x = convolve(&builder, value, name, 0, outputChannels: width)
    x = convolve(
      &builder, x, name, 3, outputChannels: width, kernelSize: 3, stride: stride, groups: width,
      activation: .identity)
    return convolve(&builder, x, name, 5, outputChannels: width)
  }

  private static func unit(
    _ builder: inout NetworkBuilder, _ value: Value, _ name: String
  ) -> Value {
    let width = value.channels / 2
    let passed = builder.slice(value, "\(name).split.passed", start: 0, count: width)
    let part = builder.slice(value, "\(name).split.processed", start: width, count: width)
    let x = mainBranch(&builder, part, "\(name).branch2", width: width, stride: 1)
    return join(&builder, passed, x, name)
  }

  private static func downUnit(
    _ builder: inout NetworkBuilder, _ value: Value, _ name: String, width: Int
  ) -> Value {
    var side = convolve(
      &builder, value, "\(name).branch1", 0, outputChannels: value.channels, kernelSize: 3,
      stride: 2, groups: value.channels, activation: .identity)
    side = convolve(&builder, side, "\(name).branch1", 2, outputChannels: width)
    let x = mainBranch(&builder, value, "\(name).branch2", width: width, stride: 2)
    return join(&builder, side, x, name)
  }

  private static func join(
    _ builder: inout NetworkBuilder, _ left: Value, _ right: Value, _ name: String
  ) -> Value {
    let x = builder.concatenation([left, right], "\(name).concat")
    return builder.channelShuffle(x, "\(name).shuffle", groups: 2)
  }
}
