// SPDX-License-Identifier: Apache-2.0

extension SSD {
  /// SSD300 on VGG16 (Liu et al. 2016) as in torchvision, under its weight names: 26,285,486
  /// parameters, 31.4 G multiply-adds with 21 classes. The first map is conv4_3's, normalised over
  /// its channels; fc6 and fc7 are a dilated and a 1×1 convolution; the last two extra layers take
  /// no padding, so images below 268 pixels are too small.
  static func vgg16(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    let name = "ssd300_vgg16"
    guard (options.dropoutRate ?? 0) == 0 else {
      throw .architecture(name: name, reason: "it has no dropout; leave the rate out")
    }
    var builder = options.builder(name, initialization: .xavier)
    var x = builder.input
    for stage in 0..<4 { x = vggStage(&builder, x, stage) }
    var maps = [
      builder.block("norm", summary: "L2 normalisation") { builder in
        builder.l2Normalization(x, "backbone")
      }
    ]
    maps.append(vggTail(&builder, x))
    for index in 0..<4 {
      maps.append(vggExtra(&builder, maps[maps.count - 1], index))
    }
    var outputs: [NetworkBuilder.Value] = []
    for (kind, perBox) in [("classification", options.classes), ("regression", 4)] {
      _ = builder.block(
        "head.\(kind)_head", summary: "\(maps.count) heads k3 of 4 or 6 boxes × \(perBox)"
      ) { builder in
        for (index, (map, boxes)) in zip(maps, [4, 6, 6, 6, 4, 4]).enumerated() {
          outputs.append(
            builder.convolution(
              map, "head.\(kind)_head.module_list.\(index)", outputChannels: boxes * perBox,
              kernelSize: 3, hasBias: true))
        }
        return outputs[outputs.count - 1]
      }
    }
    return try builder.build(outputs: outputs)
  }

  /// The positions of VGG's convolutions in torchvision's list, stage by stage.
  private static let positions = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21]]

  /// The pool of the stage before, and a stage's convolutions.
  private static func vggStage(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value, _ stage: Int
  ) -> NetworkBuilder.Value {
    let channels = 64 << stage
    let pool = stage > 0 ? "maximum k2 s2, " : ""
    return builder.block(
      "stage\(stage + 1)",
      summary: "\(pool)\(positions[stage].count) × convolution k3 c\(channels)"
    ) { builder in
      var x = value
      if stage > 0 {
        // As torchvision, which rounds the third pool's size up (75 → 38).
        x = builder.pool(
          x, "backbone.features.\(positions[stage][0] - 1)",
          Pooling(kind: .maximum, kernelSize: 2, stride: 2, ceilMode: stage == 3))
      }
      for position in positions[stage] {
        x = convolution(
          &builder, x, "backbone.features", position, channels: channels, kernelSize: 3)
      }
      return x
    }
  }

  /// The fifth stage, and the fully connected layers as convolutions.
  private static func vggTail(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value
  ) -> NetworkBuilder.Value {
    let name = "backbone.extra.0"
    return builder.block(
      name, summary: "maximum k2 s2, 3 × convolution k3 c512, dilated k3 c1024, k1 c1024"
    ) { builder in
      var x = builder.pool(
        value, "\(name).0", Pooling(kind: .maximum, kernelSize: 2, stride: 2))
      for position in [1, 3, 5] {
        x = convolution(&builder, x, name, position, channels: 512, kernelSize: 3)
      }
      x = builder.pool(
        x, "\(name).7.0", Pooling(kind: .maximum, kernelSize: 3, stride: 1, padding: 1))
      x = convolution(
        &builder, x, "\(name).7", 1, channels: 1024, kernelSize: 3, padding: 6, dilation: 6)
      return convolution(&builder, x, "\(name).7", 3, channels: 1024, kernelSize: 1)
    }
  }

  /// An extra layer: 1×1, then 3×3 at stride 2, or without padding.
  private static func vggExtra(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value, _ index: Int
  ) -> NetworkBuilder.Value {
    let name = "backbone.extra.\(index + 1)"
    let (inner, outer) = [(256, 512), (128, 256), (128, 256), (128, 256)][index]
    let strides = index < 2
    return builder.block(
      name, summary: "convolutions k1 c\(inner), k3 \(strides ? "s2 " : "")c\(outer)"
    ) { builder in
      let x = convolution(&builder, value, name, 0, channels: inner, kernelSize: 1)
      return convolution(
        &builder, x, name, 2, channels: outer, kernelSize: 3, stride: strides ? 2 : 1,
        padding: strides ? 1 : 0)
    }
  }

  /// A convolution with a bias at a position of a list, and the ReLU after it.
  private static func convolution(
    _ builder: inout NetworkBuilder, _ value: NetworkBuilder.Value, _ list: String,
    _ position: Int, channels: Int, kernelSize: Int, stride: Int = 1, padding: Int? = nil,
    dilation: Int = 1
  ) -> NetworkBuilder.Value {
    let x = builder.convolution(
      value, "\(list).\(position)", outputChannels: channels, kernelSize: kernelSize,
      stride: stride, padding: padding, dilation: dilation, hasBias: true)
    return builder.activation(x, "\(list).\(position + 1)", .relu)
  }
}
