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
struct SSD: Sendable {
  /// VOC's twenty classes and the background.
  static let usualClasses = 21
  static let usualSize = ImageSize(300)
  /// Default boxes at each position of a map.
  static let boxesPerPosition = 6

  /// What the maps of features come from.
  enum Backbone: String, Sendable {
    case mobileNetV1 = "mobilenetv1"
    case mobileNetV2 = "mobilenetv2"
    case muxNetM = "muxnet_m"
    case muxNetL = "muxnet_l"
  }

  var backbone: Backbone
  /// Whether heads and extra layers are depthwise-separable (SSDLite).
  var isLite: Bool

  static let all = [
    SSD(backbone: .mobileNetV1, isLite: false), SSD(backbone: .mobileNetV2, isLite: true),
    SSD(backbone: .mobileNetV2, isLite: false), SSD(backbone: .muxNetM, isLite: true),
    SSD(backbone: .muxNetM, isLite: false), SSD(backbone: .muxNetL, isLite: true),
    SSD(backbone: .muxNetL, isLite: false),
  ]

  var name: String { (isLite ? "ssdlite_" : "ssd_") + backbone.rawValue }

  var summary: String {
    let network =
      switch backbone {
      case .mobileNetV1: "MobileNetV1"
      case .mobileNetV2: "MobileNetV2"
      case .muxNetM: "MUXNet-m"
      case .muxNetL: "MUXNet-l"
      }
    return "\(network) + \(isLite ? "SSDLite" : "SSD"): a detector, 21 classes, 300×300"
  }

  var reference: String? {
    switch (backbone, isLite) {
    case (.mobileNetV1, false): "qfgaohao/pytorch-ssd mb1-ssd"
    case (.mobileNetV2, true): "qfgaohao/pytorch-ssd mb2-ssd-lite"
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
      "base_net." + (isMUXNet ? block.name : "\(base.blocks.firstIndex(of: block) ?? 0)")
    }
    let tap = base.blocks[firstMap.block].nodes
    var maps = [values[firstMap.node.map { tap.lowerBound + $0 } ?? tap.upperBound - 1]]
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

  private var isMUXNet: Bool { backbone == .muxNetM || backbone == .muxNetL }

  /// Where the first map is: the last node of a block (0 is the stem), or a node inside it.
  private var firstMap: (block: Int, node: Int?) {
    switch backbone {
    case .mobileNetV1: (11, nil)
    // The third node is the activation after the expansion.
    case .mobileNetV2, .muxNetM: (14, 2)
    case .muxNetL: (17, 2)
    }
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
    }
    let whole = try architecture.applying(options).network()
    let blocks = whole.blocks.filter { $0.name != "classifier" }
    return try whole.cut(atLayer: blocks[blocks.count - 1].name)
  }

  /// pytorch-ssd names a backbone's layers by their position; MUXNets keep the names that their own
  /// weights have.
  private func nodeNames(of base: Network) -> [String] {
    if isMUXNet { return base.nodes.map { "base_net.\($0.name)" } }
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
    let channels = Self.boxesPerPosition * perBox
    var outputs: [NetworkBuilder.Value] = []
    _ = builder.block(
      name, summary: "\(maps.count) heads k3 of \(Self.boxesPerPosition) boxes × \(perBox)"
    ) { builder in
      for (index, map) in maps.enumerated() {
        let head = "\(name).\(index)"
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
