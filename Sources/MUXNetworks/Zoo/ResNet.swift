// SPDX-License-Identifier: Apache-2.0

/// ResNet of bottleneck blocks (He et al. 2016) with the stride on the 3×3 convolution, as in timm
/// and torchvision.
enum ResNet {
  /// ResNet-50: 25,557,032 parameters, 4,089,184,256 multiply-adds.
  static func resNet50(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    try network("resnet50", blocks: [3, 4, 6, 3], options)
  }

  private static func network(
    _ name: String, blocks: [Int], _ options: BuiltNetworkOptions
  ) throws(NetworkError) -> Network {
    var builder = options.builder(name)
    var x = builder.block("stem", summary: "convolution k7 s2, maximum k3 s2") { builder in
      var x = builder.convolution(
        builder.input, "conv1", outputChannels: 64, kernelSize: 7, stride: 2)
      x = builder.batchNormalization(x, "bn1")
      x = builder.activation(x, "act1", .relu)
      return builder.pool(
        x, "maxpool", Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1))
    }
    for (stage, count) in blocks.enumerated() {
      for index in 0..<count {
        let stride = stage > 0 && index == 0 ? 2 : 1
        let width = 64 << stage
        let block = "layer\(stage + 1).\(index)"
        x = builder.block(block, summary: "bottleneck c\(width) s\(stride)") { builder in
          bottleneck(&builder, x, block, width: width, stride: stride)
        }
      }
    }
    _ = builder.block("classifier", summary: "global mean, linear") { builder in
      builder.classify(
        x, "fc", classes: options.classes, dropoutRate: options.dropoutRate ?? 0)
    }
    return try builder.build()
  }

  private static func bottleneck(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value, _ name: String, width: Int,
    stride: Int
  ) -> NetworkBuilder.Value {
    var x = value
    for (index, (channels, kernel)) in [(width, 1), (width, 3), (width * 4, 1)].enumerated() {
      x = builder.convolution(
        x, "\(name).conv\(index + 1)", outputChannels: channels, kernelSize: kernel,
        stride: index == 1 ? stride : 1)
      x = builder.batchNormalization(x, "\(name).bn\(index + 1)")
      if index < 2 { x = builder.activation(x, "\(name).act\(index + 1)", .relu) }
    }
    var shortcut = value
    if stride > 1 || value.channels != x.channels {
      shortcut = builder.convolution(
        value, "\(name).downsample.0", outputChannels: x.channels, stride: stride)
      shortcut = builder.batchNormalization(shortcut, "\(name).downsample.1")
    }
    x = builder.sum(x, shortcut, "\(name).residual")
    return builder.activation(x, "\(name).act3", .relu)
  }
}
