// SPDX-License-Identifier: Apache-2.0

/// DenseNet (Huang et al. 2017) with bottlenecks and growth 32, as in timm and torchvision.
enum DenseNet {
  private static let growth = 32

  /// DenseNet-121: 7,978,856 parameters, 2,834,161,664 multiply-adds.
  static func denseNet121(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    try network("densenet121", blocks: [6, 12, 24, 16], options)
  }

  /// DenseNet-169: 14,149,480 parameters, 3,359,843,328 multiply-adds.
  static func denseNet169(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    try network("densenet169", blocks: [6, 12, 32, 32], options)
  }

  private static func network(
    _ name: String, blocks: [Int], _ options: BuiltNetworkOptions
  ) throws(NetworkError) -> Network {
    var builder = options.builder(name)
    var x = builder.block("stem", summary: "convolution k7 s2, maximum k3 s2") { builder in
      var x = builder.convolution(
        builder.input, "features.conv0", outputChannels: 64, kernelSize: 7, stride: 2)
      x = norm(&builder, x, "features.norm0")
      return builder.pool(
        x, "features.pool0", Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1))
    }
    for (stage, count) in blocks.enumerated() {
      for index in 0..<count {
        let layer = "features.denseblock\(stage + 1).denselayer\(index + 1)"
        x = builder.block(layer, summary: "1×1, 3×3, \(growth) channels joined") { builder in
          denseLayer(&builder, x, layer)
        }
      }
      guard stage < blocks.count - 1 else { break }
      let transition = "features.transition\(stage + 1)"
      x = builder.block(transition, summary: "1×1 to half, mean k2 s2") { builder in
        var y = norm(&builder, x, "\(transition).norm")
        y = builder.convolution(y, "\(transition).conv", outputChannels: x.channels / 2)
        return builder.pool(
          y, "\(transition).pool", Pooling(kind: .average, kernelSize: 2, stride: 2))
      }
    }
    _ = builder.block("classifier", summary: "global mean, linear") { builder in
      builder.classify(
        norm(&builder, x, "features.norm5"), classes: options.classes,
        dropoutRate: options.dropoutRate ?? 0)
    }
    return try builder.build()
  }

  /// Batch norm and ReLU.
  private static func norm(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value, _ name: String
  ) -> NetworkBuilder.Value {
    let x = builder.batchNormalization(value, name)
    return builder.activation(x, "\(name).act", .relu)
  }

  private static func denseLayer(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value, _ name: String
  ) -> NetworkBuilder.Value {
    var x = norm(&builder, value, "\(name).norm1")
    x = builder.convolution(x, "\(name).conv1", outputChannels: 4 * growth)
    x = norm(&builder, x, "\(name).norm2")
    x = builder.convolution(x, "\(name).conv2", outputChannels: growth, kernelSize: 3)
    return builder.concatenation([value, x], "\(name).concat")
  }
}
