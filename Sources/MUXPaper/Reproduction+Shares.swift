// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import MUXNetworks
import MUXReport

extension Reproduction {
  /// The networks of figure 2, roughly by year.
  private static let designs: [(name: String, model: String)] = [
    ("VGG16", "vgg16"), ("ResNet-50", "resnet50"), ("DenseNet-121", "densenet121"),
    ("MobileNetV1", "mobilenetv1_100"), ("NASNet-A mobile", "nasnetamobile"),
    ("ShuffleNetV2", "shufflenetv2_100"), ("MobileNetV2", "mobilenetv2_100"),
    ("MnasNet-A1", "semnasnet_100"), ("FBNet-C", "fbnetc_100"), ("ChamNet-C", "chamnet_c"),
    ("MobileNetV3 large", "mobilenetv3_large_100"), ("EfficientNet-B0", "efficientnet_b0"),
    ("MixNet-M", "mixnet_m"), ("MUXNet-xs", "muxnet_xs"), ("MUXNet-s", "muxnet_s"),
    ("MUXNet-m", "muxnet_m"), ("MUXNet-l", "muxnet_l"),
  ]

  /// The share of each kind of layer in parameters and multiply-adds.
  func figure2() throws -> Exhibit {
    var found: [(name: String, shares: [KindShare])] = []
    for design in Self.designs {
      guard let costs = try costs(design.model) else { continue }
      found.append((design.name, costs.shares))
    }
    let kinds: [LayerKind] = [
      .standardConvolution, .pointwiseConvolution, .depthwiseConvolution, .groupConvolution,
      .squeezeExcitation, .linear,
    ]
    func share(
      _ shares: [KindShare], _ kind: LayerKind, _ value: (KindShare) -> Double
    ) -> Double {
      shares.first { $0.kind == kind }.map(value) ?? 0
    }
    func bars(_ title: String, _ value: (KindShare) -> Double) -> StackedBars {
      StackedBars(
        title: title, axis: ChartAxis("share", format: .percent, range: 0...1),
        categories: found.map(\.name),
        emphasized: Set(found.map(\.name).filter { $0.hasPrefix("MUXNet") }),
        parts: kinds.map { kind in
          StackedBars.Part(
            kind.title, color: kind.color, values: found.map { share($0.shares, kind, value) })
        })
    }
    func cell(_ value: Double) -> ReportValue {
      ReportValue((value * 100).decimals(1), number: value * 100, source: .computed)
    }
    let columns =
      [ReportTable.Column("network", "network", isNumeric: false)]
      + kinds.map { .init("parameters_\($0.rawValue)", "parameters: \($0.title) (%)") }
      + kinds.map { .init("multiply_adds_\($0.rawValue)", "multiply-adds: \($0.title) (%)") }
    let rows = found.map { one in
      [ReportValue(one.name)] + kinds.map { cell(share(one.shares, $0, \.parameters)) }
        + kinds.map { cell(share(one.shares, $0, \.multiplyAdds)) }
    }
    let missing = Self.designs.map(\.name).filter { name in !found.contains { $0.name == name } }
    return Exhibit(
      name: .figure2, caption: "Relative contribution of the kinds of layers in CNN designs.",
      table: ReportTable(columns: columns, rows: rows),
      figure: Figure(
        title: "What networks are made of",
        subtitle: "Shares of the kinds of layers, of convolutions and linear layers together.",
        panels: [bars("parameters") { $0.parameters }, bars("multiply-adds") { $0.multiplyAdds }],
        columns: 2, panelWidth: 520, notes: ["All shares are computed here."]),
      notes: ["batch norms and biases of batch norms do not count"]
        + (missing.isEmpty ? [] : ["not in the zoo: \(missing.joined(separator: ", "))"]))
  }
}
