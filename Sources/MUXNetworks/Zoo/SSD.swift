// SPDX-License-Identifier: Apache-2.0

/// Single-shot detectors on 300×300 images (paper, table 2): SSD (Liu et al. 2016) and SSDLite
/// (Sandler et al. 2018), laid out as in the public code whose training recipe the paper follows,
/// qfgaohao/pytorch-ssd; its weight names are these.
///
/// Six maps of features go to the heads: the first at stride 16, the second the last of the
/// backbone at stride 32, then four extra layers of stride 2. In networks of inverted residuals the
/// first map is the expansion inside the block that goes from stride 16 to 32. Each map has two
/// outputs: class scores [N, 6·classes, H, W] and box offsets [N, 6·4, H, W] of the six default
/// boxes at each position; background is the first class.
///
/// For small things there may be one more map before the others, at stride 8, with four default boxes
/// at each position as the finest map of SSD300 has.
struct SSD: Sendable {
  /// VOC's twenty classes and the background.
  static let usualClasses = 21
  static let usualSize = ImageSize(300)
  /// Default boxes at each position of a map.
  static let boxesPerPosition = 6
  /// Default boxes at each position of the map at stride 8.
  static let boxesPerFinePosition = 4

  /// What the maps of features come from.
  enum Backbone: String, Sendable {
    case mobileNetV1 = "mobilenetv1"
    case mobileNetV2 = "mobilenetv2"
    case muxNetM = "muxnet_m"
    case muxNetL = "muxnet_l"
    case efficientNetLite0 = "tf_efficientnet_lite0"
    case mobileNetV3Large = "mobilenetv3_large_100"

    /// What it is called in a text.
    var title: String {
      switch self {
      case .mobileNetV1: "MobileNetV1"
      case .mobileNetV2: "MobileNetV2"
      case .muxNetM: "MUXNet-m"
      case .muxNetL: "MUXNet-l"
      case .efficientNetLite0: "EfficientNet-Lite0"
      case .mobileNetV3Large: "MobileNetV3-Large"
      }
    }

    /// Whether layers are named by their positions, as pytorch-ssd does; the others keep the names that
    /// their own weights have.
    var isNumbered: Bool { self == .mobileNetV1 || self == .mobileNetV2 }
  }

  var backbone: Backbone
  /// Whether heads and extra layers are depthwise-separable (SSDLite).
  var isLite: Bool
  /// Whether there is a map at stride 8.
  var isFine = false

  static let all = [
    SSD(backbone: .mobileNetV1, isLite: false), SSD(backbone: .mobileNetV2, isLite: true),
    SSD(backbone: .mobileNetV2, isLite: false), SSD(backbone: .muxNetM, isLite: true),
    SSD(backbone: .muxNetM, isLite: false), SSD(backbone: .muxNetL, isLite: true),
    SSD(backbone: .muxNetL, isLite: false), SSD(backbone: .efficientNetLite0, isLite: true),
    SSD(backbone: .mobileNetV3Large, isLite: true),
    SSD(backbone: .muxNetM, isLite: true, isFine: true),
    SSD(backbone: .efficientNetLite0, isLite: true, isFine: true),
  ]

  var name: String {
    (isLite ? "ssdlite" : "ssd") + (isFine ? "8_" : "_") + backbone.rawValue
  }

  var summary: String {
    let kind = (isLite ? "SSDLite" : "SSD") + (isFine ? " from stride 8 on" : "")
    return "\(backbone.title) + \(kind): a detector, 21 classes, 300×300"
  }

  var reference: String? {
    switch name {
    case "ssd_mobilenetv1": "qfgaohao/pytorch-ssd mb1-ssd"
    case "ssdlite_mobilenetv2": "qfgaohao/pytorch-ssd mb2-ssd-lite"
    default: nil
    }
  }

  func network(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    guard (options.dropoutRate ?? 0) == 0 else {
      throw .architecture(name: name, reason: "it has no dropout; leave the rate out")
    }
    var builder = options.builder(name, initialization: .xavier)
    let base = try base(options)
    let values = try builder.append(base, nodeNames: nodeNames(of: base)) { block in
      "base_net."
        + (backbone.isNumbered ? "\(base.blocks.firstIndex(of: block) ?? 0)" : block.name)
    }
    var maps = try (isFine ? [8, 16] : [16]).map { stride throws(NetworkError) in
      values[try Self.lastNode(atStride: stride, of: base)]
    }
    maps.append(values[values.count - 1])
    for index in 0..<4 {
      let last = maps[maps.count - 1]
      maps.append(
        isLite ? liteExtra(&builder, index, last) : plainExtra(&builder, index, last))
    }
    let scores = heads(&builder, "classification_headers", maps, perBox: options.classes)
    let offsets = heads(&builder, "regression_headers", maps, perBox: 4)
    return try builder.build(outputs: scores + offsets)
  }

  // MARK: Backbone

  /// The last node at a stride that goes on: what the layer reads that halves the map.
  private static func lastNode(
    atStride stride: Int, of base: Network
  ) throws(NetworkError) -> Int {
    // An image of a power of two, so that every stride divides it.
    let side = 256
    let shapes = try base.shapes(inputSize: ImageSize(side))
    guard let next = shapes.firstIndex(where: { $0.height == side / (2 * stride) }),
      let node = base.inputIndices[next].first, node >= 0
    else {
      throw .architecture(
        name: base.name, reason: "it has no map at stride \(stride) that a detector could take")
    }
    return node
  }

  /// The names of the backbone's layers in the zoo, by their names in the detector.
  func backboneNames(
    inputChannels: Int, inputSize: ImageSize
  ) throws(NetworkError) -> [String: String] {
    let base = try base(
      ModelOptions(inputChannels: inputChannels, inputSize: inputSize))
    return Dictionary(zip(nodeNames(of: base), base.nodes.map(\.name))) { first, _ in first }
  }

  /// The backbone up to its last map of features, under the names of the zoo.
  private func base(_ options: BuiltNetworkOptions) throws(NetworkError) -> Network {
    try base(ModelOptions(inputChannels: options.inputChannels, inputSize: options.inputSize))
  }

  private func base(_ options: ModelOptions) throws(NetworkError) -> Network {
    var architecture: Architecture
    switch backbone {
    case .mobileNetV1:
      architecture = try MobileNets.v1()
      // pytorch-ssd's MobileNetV1 has ReLU where others have ReLU6.
      architecture.activation = .relu
    case .mobileNetV2: architecture = MobileNetV2().architecture()
    case .muxNetM: architecture = try MUXNet.m()
    case .muxNetL: architecture = try MUXNet.l()
    case .efficientNetLite0, .mobileNetV3Large:
      architecture = try ModelZoo.architecture(named: backbone.rawValue)
    }
    let whole = try architecture.applying(options).network()
    // MobileNetV3's head stands behind the global mean.
    let last = whole.blocks.last {
      $0.name != "classifier" && !(architecture.head.followsPool && $0.name == "head")
    }
    return try whole.cut(atLayer: last?.name ?? "")
  }

  /// The names of the backbone's layers in the detector.
  private func nodeNames(of base: Network) -> [String] {
    guard backbone.isNumbered else { return base.nodes.map { "base_net.\($0.name)" } }
    var names: [String] = []
    for (position, block) in base.blocks.enumerated() {
      let isResidual = backbone == .mobileNetV2 && block.name.hasPrefix("blocks.")
      for (step, index) in block.nodes.enumerated() {
        let prefix = "base_net.\(position)." + (isResidual ? "conv." : "")
        names.append(
          base.nodes[index].operation == .add ? "base_net.\(position).residual" : "\(prefix)\(step)"
        )
      }
    }
    return names
  }

  // MARK: Extra layers and heads

  /// 1×1 and 3×3 at stride 2, with biases and without batch norms.
  private func plainExtra(
    _ builder: inout NetworkBuilder, _ index: Int, _ value: NetworkBuilder.Value
  ) -> NetworkBuilder.Value {
    let name = "extras.\(index)"
    let (inner, outer) = [(256, 512), (128, 256), (128, 256), (128, 256)][index]
    return builder.block(name, summary: "convolutions k1 c\(inner), k3 s2 c\(outer)") { builder in
      var x = builder.convolution(value, "\(name).0", outputChannels: inner, hasBias: true)
      x = builder.activation(x, "\(name).1", .relu)
      x = builder.convolution(
        x, "\(name).2", outputChannels: outer, kernelSize: 3, stride: 2, hasBias: true)
      return builder.activation(x, "\(name).3", .relu)
    }
  }

  /// An inverted residual at stride 2 that narrows.
  private func liteExtra(
    _ builder: inout NetworkBuilder, _ index: Int, _ value: NetworkBuilder.Value
  ) -> NetworkBuilder.Value {
    let name = "extras.\(index)"
    let (ratio, outer) = [(0.2, 512), (0.25, 256), (0.5, 256), (0.25, 64)][index]
    let inner = Int((Double(value.channels) * ratio).rounded())
    return builder.block(name, summary: "ir_k3_s2_e\(ratio)_c\(outer)_nr6") { builder in
      var x = builder.convolution(value, "\(name).conv.0", outputChannels: inner)
      x = builder.batchNormalization(x, "\(name).conv.1")
      x = builder.activation(x, "\(name).conv.2", .relu6)
      x = builder.convolution(
        x, "\(name).conv.3", outputChannels: inner, kernelSize: 3, stride: 2, groups: inner)
      x = builder.batchNormalization(x, "\(name).conv.4")
      x = builder.activation(x, "\(name).conv.5", .relu6)
      x = builder.convolution(x, "\(name).conv.6", outputChannels: outer)
      return builder.batchNormalization(x, "\(name).conv.7")
    }
  }

  /// One head for each map, `perBox` numbers for each default box.
  private func heads(
    _ builder: inout NetworkBuilder, _ name: String, _ maps: [NetworkBuilder.Value], perBox: Int
  ) -> [NetworkBuilder.Value] {
    let boxes = isFine ? "\(Self.boxesPerFinePosition) or " : ""
    var outputs: [NetworkBuilder.Value] = []
    _ = builder.block(
      name,
      summary: "\(maps.count) heads k3 of \(boxes)\(Self.boxesPerPosition) boxes × \(perBox)"
    ) { builder in
      for (index, map) in maps.enumerated() {
        let head = "\(name).\(index)"
        let isFinest = isFine && index == 0
        let channels = perBox * (isFinest ? Self.boxesPerFinePosition : Self.boxesPerPosition)
        guard isLite, index < maps.count - 1 else {
          outputs.append(
            builder.convolution(
              map, head, outputChannels: channels, kernelSize: isLite ? 1 : 3, hasBias: true))
          continue
        }
        var x = builder.convolution(
          map, "\(head).0", outputChannels: map.channels, kernelSize: 3, groups: map.channels,
          hasBias: true)
        x = builder.batchNormalization(x, "\(head).1")
        x = builder.activation(x, "\(head).2", .relu6)
        outputs.append(
          builder.convolution(x, "\(head).3", outputChannels: channels, hasBias: true))
      }
      return outputs[outputs.count - 1]
    }
    return outputs
  }
}
