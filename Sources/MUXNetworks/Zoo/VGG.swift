// SPDX-License-Identifier: Apache-2.0

/// VGG (Simonyan and Zisserman 2015) without batch norms, as in torchvision: images of other sizes
/// are pooled to a grid of 7×7.
enum VGG {
  /// VGG16: 138,357,544 parameters, 15,470,264,320 multiply-adds.
  static func vgg16(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    var builder = options.builder("vgg16")
    let rate = options.dropoutRate ?? 0.5
    var x = builder.input
    // The position in torchvision's list of layers, which names the weights.
    var position = 0
    for (stage, (channels, count)) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
      .enumerated()
    {
      x = builder.block(
        "stage\(stage + 1)", summary: "\(count) × convolution k3 c\(channels), maximum k2 s2"
      ) { builder in
        for _ in 0..<count {
          x = builder.convolution(
            x, "features.\(position)", outputChannels: channels, kernelSize: 3, hasBias: true)
          x = builder.activation(x, "features.\(position + 1)", .relu)
          position += 2
        }
        let pool = "features.\(position)"
        position += 1
        return builder.pool(x, pool, Pooling(kind: .maximum, kernelSize: 2, stride: 2))
      }
    }
    _ = builder.block("classifier", summary: "grid of 7×7, three linear layers") { builder in
      var x = builder.add(
        "avgpool", .adaptiveAveragePool(ImageSize(7)), x, channels: x.channels)
      x = builder.add("flatten", .flatten, x, channels: x.channels * 49)
      for index in [0, 3] {
        x = builder.linear(x, "classifier.\(index)", outputFeatures: 4096)
        x = builder.activation(x, "classifier.\(index + 1)", .relu)
        if rate > 0 {
          x = builder.add(
            "classifier.\(index + 2)", .dropout(rate: rate), x, channels: x.channels)
        }
      }
      return builder.linear(x, "classifier.6", outputFeatures: options.classes)
    }
    return try builder.build()
  }
}
