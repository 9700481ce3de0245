// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// The networks that the package knows by name.
public enum ModelZoo {
  /// One network of the zoo.
  public struct Entry: Sendable {
    /// The name, in timm's style.
    public let name: String
    /// What it is, in one line.
    public let summary: String
    /// The public implementation whose weights load by name, such as `timm mobilenetv1_100`; nil
    /// where there is none.
    public let reference: String?
    let definition: Definition

    enum Definition: Sendable {
      case blockStrings(@Sendable () throws(NetworkError) -> Architecture)
      case built(@Sendable (BuiltNetworkOptions) throws(NetworkError) -> Network)
      case detector(@Sendable (BuiltNetworkOptions) throws(NetworkError) -> Network)
    }

    /// Whether it has two outputs for each map of features, class scores and box offsets of each default box,
    /// instead of one with a logit for each class.
    package var isDetector: Bool {
      if case .detector = definition { true } else { false }
    }

    init(
      _ name: String, _ summary: String, reference: String? = nil, _ definition: Definition
    ) {
      self.name = name
      self.summary = summary
      self.reference = reference
      self.definition = definition
    }

    /// Whether the network is made of block strings, which width, output stride and drop-path rate
    /// can change; otherwise it is built node by node.
    package var hasBlockStrings: Bool {
      if case .blockStrings = definition { true } else { false }
    }

    /// The architecture.
    ///
    /// - Throws: ``NetworkError/architecture(name:reason:)`` for a network without block strings.
    public func architecture() throws(NetworkError) -> Architecture {
      switch definition {
      case .blockStrings(let make): return try make()
      case .built, .detector:
        throw .architecture(
          name: name,
          reason: "it is built node by node and has no block strings; write it layer by layer"
        )
      }
    }

    /// The network, with changes applied.
    ///
    /// - Throws: ``NetworkError`` naming the option or the layer that is not sound.
    public func network(_ options: ModelOptions = ModelOptions()) throws(NetworkError) -> Network {
      switch definition {
      case .blockStrings(let make): try make().applying(options).network()
      case .built(let make): try make(BuiltNetworkOptions(options, model: name))
      case .detector(let make):
        try make(
          BuiltNetworkOptions(
            options, model: name, classes: SSD.usualClasses, inputSize: SSD.usualSize))
      }
    }
  }

  /// All networks, sorted by name.
  public static let entries: [Entry] =
    (muxnets + mobileNetsV2 + mobileNets + searched + large + torchvision + tensorFlow
    + detectors).sorted {
      $0.name < $1.name
    }

  /// The networks whose names match a pattern with `*` and `?`, or contain it if it has neither.
  public static func entries(matching pattern: String) -> [Entry] {
    entries.filter { matches($0.name, pattern: pattern) }
  }

  /// The entry of a name.
  ///
  /// - Throws: ``NetworkError/unknownModel(name:nearest:)`` with the nearest names, or
  ///   ``NetworkError/architecture(name:reason:)`` for a network without a public definition.
  public static func entry(named name: String) throws(NetworkError) -> Entry {
    if let entry = entries.first(where: { $0.name == name }) { return entry }
    let lowercased = name.lowercased()
    if let alias = aliases[lowercased] { throw .unknownModel(name: name, nearest: [alias]) }
    if let quoted = QuotedFigures.all.first(where: { $0.name == lowercased }) {
      throw .architecture(name: name, reason: quoted.reason)
    }
    let names = entries.map(\.name)
    // `mobilnetv3` is far from every whole name, and near to where two of them begin.
    let near =
      NameDistance.family(of: name, among: names)
      + NameDistance.nearest(to: name, among: names)
    throw .unknownModel(
      name: name,
      nearest: Array(near.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.prefix(3)))
  }

  /// The architecture of a name.
  ///
  /// - Throws: ``NetworkError/unknownModel(name:nearest:)`` with the nearest names, or
  ///   ``NetworkError/architecture(name:reason:)`` for a network without block strings.
  public static func architecture(named name: String) throws(NetworkError) -> Architecture {
    try entry(named: name).architecture()
  }

  /// The network of a name, with changes applied.
  ///
  /// - Throws: ``NetworkError/unknownModel(name:nearest:)`` with the nearest names, or what is not
  ///   sound about the options.
  public static func network(
    named name: String, options: ModelOptions = ModelOptions()
  ) throws(NetworkError) -> Network {
    try entry(named: name).network(options)
  }

  /// Names under which networks of the zoo go elsewhere.
  static let aliases = [
    "mnasnet_a1": "semnasnet_100", "mnasnet_b1": "mnasnet_100", "mnasnet1_0": "tv_mnasnet_100",
    "mobilenet_v1": "mobilenetv1_100", "mobilenet_v2": "tv_mobilenetv2_100",
    "mobilenet_v3_large": "tv_mobilenetv3_large_100",
    "mobilenet_v3_small": "tv_mobilenetv3_small_100",
    "shufflenet_v2_x0_5": "shufflenetv2_050", "shufflenet_v2_x1_0": "shufflenetv2_100",
    "shufflenet_v2_x1_5": "shufflenetv2_150", "shufflenet_v2_x2_0": "shufflenetv2_200",
    "nasnet_a_mobile": "nasnetamobile", "nasnet_mobile": "nasnetamobile", "fbnet_c": "fbnetc_100",
    "mb1-ssd": "ssd_mobilenetv1", "mb2-ssd-lite": "ssdlite_mobilenetv2",
  ]

  private static let muxnets: [Entry] = [
    Entry(
      "muxnet_xs", "MUXNet-xs at the paper's size (this project's definition)",
      .blockStrings(MUXNet.xs)),
    Entry(
      "muxnet_s", "MUXNet-s at the paper's size (this project's definition)",
      .blockStrings(MUXNet.s)),
    Entry(
      "muxnet_m", "MUXNet-m as the authors released it", reference: "human-analysis/MUXConv",
      .blockStrings(MUXNet.m)),
    Entry(
      "muxnet_l", "MUXNet-l as the authors released it", reference: "human-analysis/MUXConv",
      .blockStrings(MUXNet.l)),
    Entry(
      "muxnet_cifar", "a MUXNet for 32×32 pixels and 10 classes (this project's own)",
      .blockStrings(MUXNet.cifar)),
    Entry(
      "muxnet_digits", "a MUXNet for 16×16 grey pixels and 10 classes (this project's own)",
      .blockStrings(MUXNet.digits)),
  ]

  private static let mobileNetsV2: [Entry] =
    [0.1, 0.25, 0.35, 0.5, 0.75, 1, 1.4].flatMap { width in
      [false, true].map { multiplexed in
        mobileNet(MobileNetV2(widthMultiplier: width, usesSpatialMultiplexing: multiplexed))
      }
    }
    + [0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75].map { mobileNet(MobileNetV2(leaveOutRatio: $0)) }

  private static func mobileNet(_ model: MobileNetV2) -> Entry {
    let architecture = model.architecture()
    var summary = "MobileNetV2, width \(model.widthMultiplier)"
    if model.usesSpatialMultiplexing { summary += ", spatial multiplexing in the repeat blocks" }
    if model.leaveOutRatio > 0 {
      summary += ", leaving out \(model.leaveOutRatio) of the channels in the repeat blocks"
    }
    // Of the other widths timm has no definition, so no weights.
    let isPublic =
      !model.usesSpatialMultiplexing && model.leaveOutRatio == 0
      && [0.35, 0.5, 0.75, 1, 1.4].contains(model.widthMultiplier)
    return Entry(
      architecture.name, summary, reference: isPublic ? "timm \(architecture.name)" : nil,
      .blockStrings { () throws(NetworkError) in architecture })
  }

  private static func timm(
    _ name: String, _ summary: String, _ definition: Entry.Definition
  ) -> Entry {
    Entry(name, summary, reference: "timm \(name)", definition)
  }

  private static let mobileNets: [Entry] =
    [
      timm("mobilenetv1_100", "MobileNetV1, width 1.0", .blockStrings(MobileNets.v1)),
      timm(
        "mobilenetv3_large_100", "MobileNetV3-Large, width 1.0",
        .blockStrings(MobileNets.v3Large)),
      timm(
        "mobilenetv3_small_100", "MobileNetV3-Small, width 1.0",
        .blockStrings(MobileNets.v3Small)),
    ]
    + zip(ShuffleNetV2.allCases, [("0.5", "0_5"), ("1.0", "1_0"), ("1.5", "1_5"), ("2.0", "2_0")])
    .map { model, width in
      Entry(
        model.name, "ShuffleNetV2, width \(width.0)",
        reference: "torchvision shufflenet_v2_x\(width.1)", .built(model.network))
    }

  private static let searched: [Entry] =
    [
      timm("semnasnet_100", "MnasNet-A1", .blockStrings(SearchedNets.mnasNetA1)),
      timm("mnasnet_100", "MnasNet-B1", .blockStrings(SearchedNets.mnasNetB1)),
      timm("fbnetc_100", "FBNet-C", .blockStrings(SearchedNets.fbNetC)),
      timm("efficientnet_b0", "EfficientNet-B0", .blockStrings(SearchedNets.efficientNetB0)),
      timm("mixnet_s", "MixNet-S", .blockStrings(SearchedNets.mixNetS)),
      timm("mixnet_m", "MixNet-M", .blockStrings(SearchedNets.mixNetM)),
      Entry(
        "nasnetamobile", "NASNet-A mobile (4 @ 1056)",
        reference: "pretrainedmodels nasnetamobile", .built(NASNet.mobile)),
    ]
    + ChamNet.allCases.map { model in
      Entry(
        "chamnet_\(model.rawValue)",
        "ChamNet-\(model.rawValue.uppercased()) (public definition, no public weights)",
        .blockStrings { () throws(NetworkError) in model.architecture() })
    }

  private static let large: [Entry] = [
    timm("resnet50", "ResNet-50, stride on the 3×3", .built(ResNet.resNet50)),
    timm("densenet121", "DenseNet-121", .built(DenseNet.denseNet121)),
    timm("densenet169", "DenseNet-169", .built(DenseNet.denseNet169)),
    Entry("vgg16", "VGG16", reference: "torchvision vgg16", .built(VGG.vgg16)),
  ]

  /// Networks under torchvision's names; the others in this list have them in any case.
  private static let torchvision: [Entry] = [
    torchvision("tv_mobilenetv2_100", "mobilenet_v2", .mobileNetV2) {
      () throws(NetworkError) in MobileNetV2().architecture()
    },
    torchvision(
      "tv_mobilenetv3_large_100", "mobilenet_v3_large", .mobileNetV3, epsilon: 1e-3,
      momentum: 0.01, MobileNets.v3Large),
    torchvision(
      "tv_mobilenetv3_small_100", "mobilenet_v3_small", .mobileNetV3, epsilon: 1e-3,
      momentum: 0.01, MobileNets.v3Small),
    torchvision(
      "tv_mnasnet_100", "mnasnet1_0", .mnasNet, momentum: 3e-4, SearchedNets.mnasNetB1),
    torchvision(
      "tv_efficientnet_b0", "efficientnet_b0", .efficientNet, SearchedNets.efficientNetB0),
  ]

  private static func torchvision(
    _ name: String, _ original: String, _ names: TorchvisionNames, epsilon: Double = 1e-5,
    momentum: Double = 0.1, _ make: @escaping @Sendable () throws(NetworkError) -> Architecture
  ) -> Entry {
    let built: @Sendable (BuiltNetworkOptions) throws(NetworkError) -> Network = {
      options throws(NetworkError) in
      var architecture = try make()
      architecture.name = name
      architecture.normalizationEpsilon = epsilon
      architecture.normalizationMomentum = momentum
      return try names.network(architecture, options)
    }
    return Entry(
      name, "torchvision's \(original), under its weight names",
      reference: "torchvision \(original)", .built(built))
  }

  /// timm's networks with the weights that TensorFlow trained: its padding, and its ε.
  private static let tensorFlow: [Entry] =
    [
      tensorFlow("efficientnet_b0", "EfficientNet-B0", SearchedNets.efficientNetB0),
      tensorFlow("mixnet_s", "MixNet-S", SearchedNets.mixNetS),
      tensorFlow("mixnet_m", "MixNet-M", SearchedNets.mixNetM),
      tensorFlow("mobilenetv3_large_100", "MobileNetV3-Large, width 1.0", MobileNets.v3Large),
      tensorFlow("mobilenetv3_small_100", "MobileNetV3-Small, width 1.0", MobileNets.v3Small),
    ]
    + EfficientNetLite.allCases.map { model in
      tensorFlow(model.name, model.summary, model.architecture)
    }

  private static func tensorFlow(
    _ original: String, _ summary: String,
    _ make: @escaping @Sendable () throws(NetworkError) -> Architecture
  ) -> Entry {
    timm(
      "tf_\(original)", "\(summary), with TensorFlow's padding",
      .blockStrings { () throws(NetworkError) in
        var architecture = try make()
        architecture.name = "tf_\(original)"
        architecture.padding = .same
        architecture.normalizationEpsilon = 1e-3
        return architecture
      })
  }

  private static let detectors: [Entry] =
    SSD.all.map { model in
      Entry(model.name, model.summary, reference: model.reference, .detector(model.network))
    } + [
      Entry(
        "ssd300_vgg16", "VGG16 + SSD: a detector, 21 classes, 300×300",
        reference: "torchvision ssd300_vgg16", .detector(SSD.vgg16))
    ]

  /// Whether a name matches a pattern with `*` and `?`, or contains it if it has neither.
  static func matches(_ name: String, pattern: String) -> Bool {
    let isGlob = pattern.contains { $0 == "*" || $0 == "?" }
    return matches(Array(name)[...], Array(isGlob ? pattern : "*\(pattern)*")[...])
  }

  private static func matches(
    _ name: ArraySlice<Character>, _ glob: ArraySlice<Character>
  ) -> Bool {
    guard let first = glob.first else { return name.isEmpty }
    if first == "*" {
      return matches(name, glob.dropFirst())
        || (!name.isEmpty && matches(name.dropFirst(), glob))
    }
    guard let letter = name.first, first == "?" || letter == first else { return false }
    return matches(name.dropFirst(), glob.dropFirst())
  }
}
