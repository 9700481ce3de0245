// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTestSupport
import Testing

@Suite("Networks that the paper compares with")
struct ZooTests {
  /// Name, classes, parameters, multiply-adds at 224 pixels unless it says otherwise: measured on the
  /// reference implementations.
  static let counts: [(String, Int, Int, Int)] = [
    ("mobilenetv1_100", 1000, 4_231_976, 568_740_352),
    ("mobilenetv2_100", 1000, 3_504_872, 300_774_272),
    ("mobilenetv2_050", 1000, 1_968_680, 97_131_840),
    ("mobilenetv3_large_100", 1000, 5_483_032, 216_589_760),
    ("mobilenetv3_small_100", 1000, 2_542_856, 56_510_400),
    ("shufflenetv2_100", 1000, 2_278_604, 144_907_992),
    ("shufflenetv2_150", 1000, 3_503_624, 295_759_392),
    ("shufflenetv2_200", 1000, 7_393_996, 583_253_464),
    ("semnasnet_100", 1000, 3_887_038, 311_579_072),
    ("mnasnet_100", 1000, 4_383_312, 314_415_872),
    ("fbnetc_100", 1000, 5_572_200, 384_960_160),
    ("chamnet_c", 1000, 3_380_664, 211_553_600),
    ("efficientnet_b0", 1000, 5_288_548, 385_814_752),
    ("mixnet_s", 1000, 4_134_606, 239_173_360),
    ("mixnet_m", 1000, 5_014_382, 339_172_672),
    ("tf_efficientnet_b0", 1000, 5_288_548, 385_814_752),
    ("tf_mobilenetv3_large_100", 1000, 5_483_032, 216_589_760),
    ("tf_mobilenetv3_small_100", 1000, 2_542_856, 56_510_400),
    ("tf_mixnet_s", 1000, 4_134_606, 239_173_360),
    ("tf_mixnet_m", 1000, 5_014_382, 339_172_672),
    ("tf_efficientnet_lite0", 1000, 4_652_008, 385_187_552),
    // The others at their own sizes: 240, 260, 300, 380.
    ("tf_efficientnet_lite1", 1000, 5_416_680, 600_185_232),
    ("tf_efficientnet_lite2", 1000, 6_092_072, 859_736_272),
    ("tf_efficientnet_lite3", 1000, 8_197_096, 1_607_554_544),
    ("tf_efficientnet_lite4", 1000, 13_006_568, 3_943_564_112),
    ("resnet50", 1000, 25_557_032, 4_089_184_256),
    ("densenet121", 1000, 7_978_856, 2_834_161_664),
    ("densenet169", 1000, 14_149_480, 3_359_843_328),
    ("vgg16", 1000, 138_357_544, 15_470_264_320),
    ("nasnetamobile", 1000, 5_289_978, 568_234_858),
    ("mobilenetv2_100", 10, 2_236_682, 299_507_072),
    ("efficientnet_b0", 10, 4_020_358, 384_547_552),
    ("mixnet_m", 10, 3_492_752, 337_652_032),
    ("resnet50", 10, 23_528_522, 4_087_156_736),
    ("densenet121", 10, 6_964_106, 2_833_147_904),
    ("densenet121", 14, 6_968_206, 2_833_152_000),
    ("densenet169", 10, 12_501_130, 3_358_195_968),
    ("nasnetamobile", 10, 4_243_548, 567_189_418),
  ]

  @Test("Parameters and multiply-adds to the unit", arguments: counts)
  func totals(model: String, classes: Int, parameters: Int, multiplyAdds: Int) throws {
    let report = try CostReport(zoo(model, ModelOptions(classes: classes)))
    #expect(report.parameters == parameters)
    #expect(report.multiplyAdds == multiplyAdds)
  }

  @Test(
    "ChamNet's table, each at its own image size: multiply-adds in tenths of a million",
    arguments: [
      ("a", 224, 5529), ("b", 192, 3233), ("c", 224, 2116), ("d", 192, 1200), ("e", 160, 537),
      ("f", 128, 308),
    ])
  func chamNets(letter: String, side: Int, tenths: Int) throws {
    let report = try CostReport(zoo("chamnet_\(letter)"))
    #expect(report.inputSize == ImageSize(side))
    #expect((report.multiplyAdds + 50_000) / 100_000 == tenths)
  }

  @Test(
    "Shares by kind of layer, in tenths of a percent (figure 2)",
    arguments: [
      ("resnet50", [444, 476, 0, 0, 0, 80], [481, 518, 0, 0, 0, 1]),
      ("densenet121", [272, 598, 0, 0, 0, 130], [480, 520, 0, 0, 0, 0]),
      ("mobilenetv1_100", [0, 746, 11, 0, 0, 243], [19, 949, 31, 0, 0, 2]),
      ("semnasnet_100", [0, 572, 28, 0, 67, 332], [35, 880, 81, 0, 1, 4]),
      ("mobilenetv3_large_100", [0, 471, 17, 0, 277, 235], [25, 877, 85, 0, 7, 6]),
      ("efficientnet_b0", [0, 600, 35, 0, 121, 244], [28, 877, 90, 0, 2, 3]),
      ("mixnet_m", [0, 410, 64, 0, 217, 309], [24, 777, 191, 0, 3, 5]),
    ])
  func shares(model: String, parameters: [Int], multiplyAdds: [Int]) throws {
    let shares = try costs(model).shares
    #expect(shares.map { Int(($0.parameters * 1000).rounded()) } == parameters)
    #expect(shares.map { Int(($0.multiplyAdds * 1000).rounded()) } == multiplyAdds)
  }

  @Test(
    "Every layer of the reference tables, line by line",
    .enabled(if: Shared.hasLayerTables, "\(Shared.absent)"),
    arguments: [
      ("mobilenetv1_100", "timm_mobilenetv1_100"),
      ("mobilenetv3_large_100", "timm_mobilenetv3_large_100"),
      ("mobilenetv3_small_100", "timm_mobilenetv3_small_100"),
      ("semnasnet_100", "timm_semnasnet_100"), ("mnasnet_100", "timm_mnasnet_100"),
      ("fbnetc_100", "timm_fbnetc_100"), ("efficientnet_b0", "timm_efficientnet_b0"),
      ("mixnet_s", "timm_mixnet_s"), ("mixnet_m", "timm_mixnet_m"),
      ("resnet50", "timm_resnet50"), ("densenet121", "timm_densenet121"),
      ("densenet169", "timm_densenet169"), ("resnet50", "torchvision_resnet50"),
      ("densenet121", "torchvision_densenet121"), ("densenet169", "torchvision_densenet169"),
      ("shufflenetv2_100", "torchvision_shufflenet_v2_x1_0"),
      ("shufflenetv2_150", "torchvision_shufflenet_v2_x1_5"),
      ("shufflenetv2_200", "torchvision_shufflenet_v2_x2_0"), ("vgg16", "torchvision_vgg16"),
      ("nasnetamobile", "pretrainedmodels_nasnetamobile"),
      ("tv_mobilenetv2_100", "torchvision_mobilenet_v2"),
      ("tv_mobilenetv3_large_100", "torchvision_mobilenet_v3_large"),
      ("tv_mobilenetv3_small_100", "torchvision_mobilenet_v3_small"),
      ("tv_mnasnet_100", "torchvision_mnasnet1_0"),
      ("tv_efficientnet_b0", "torchvision_efficientnet_b0"),
    ])
  func layerTables(model: String, table: String) throws {
    try compare(model, table: "baseline_\(table)_224_1000", named: true)
  }

  @Test(
    "Layer tables with other class counts, and of ChamNet-C, whose table has no names of ours",
    .enabled(if: Shared.hasLayerTables, "\(Shared.absent)"))
  func otherTables() throws {
    for (model, classes) in [
      ("densenet121", 10), ("densenet121", 14), ("densenet169", 10), ("efficientnet_b0", 10),
      ("mixnet_m", 10), ("mobilenetv2_100", 10), ("resnet50", 10),
    ] {
      try compare(
        model, classes: classes, table: "baseline_timm_\(model)_224_\(classes)", named: true)
    }
    try compare("chamnet_c", table: "baseline_chamnet_c_224_1000", named: false)
  }

  private func compare(
    _ model: String, classes: Int = 1000, table: String, named: Bool
  ) throws {
    let rows = try Shared.layerTable(table)
    let layers = try CostReport(zoo(model, ModelOptions(classes: classes))).layers.filter {
      $0.kind != .other && $0.kind != .batchNormalization
    }
    if named { #expect(layers.map(\.name) == rows.map { $0["name"] ?? "" }, "\(table)") }
    #expect(layers.map { "\($0.multiplyAdds)" } == rows.map { $0["macs"] ?? "" }, "\(table)")
    #expect(layers.map { "\($0.parameters)" } == rows.map { $0["params"] ?? "" }, "\(table)")
    // A branch's output has the size of the node's.
    #expect(
      layers.map { "\($0.outputShape.height)×\($0.outputShape.width)" }
        == rows.map { "\($0["hout"] ?? "")×\($0["wout"] ?? "")" }, "\(table)")
  }

  @Test("Names of other packages lead to ours; a network without a definition says so")
  func names() throws {
    #expect(throws: NetworkError.unknownModel(name: "mnasnet_a1", nearest: ["semnasnet_100"])) {
      try ModelZoo.network(named: "mnasnet_a1")
    }
    #expect {
      try ModelZoo.network(named: "mnasnet_a2")
    } throws: {
      "\($0)" == "architecture 'mnasnet_a2': it has no public definition; of it only the paper's"
        + " figures are known (4.8 M parameters, 340 M multiply-adds)"
    }
    #expect {
      try ModelZoo.network(named: "resnet51")
    } throws: { "\($0)" == "unknown model 'resnet51'; did you mean 'resnet50'?" }
    #expect {
      try ModelZoo.architecture(named: "resnet50")
    } throws: { "\($0)".hasPrefix("architecture 'resnet50': it is built node by node") }
    #expect(Set(ModelZoo.entries.map(\.name)).count == ModelZoo.entries.count)
  }

  @Test("Options of networks that are built node by node")
  func builtOptions() throws {
    for entry in ModelZoo.entries where !entry.hasBlockStrings && !entry.isDetector {
      let network = try entry.network(
        ModelOptions(classes: 7, inputChannels: 1, inputSize: ImageSize(96), dropoutRate: 0))
      #expect(network.classCount == 7 && network.inputChannels == 1)
      #expect(network.inputSize == ImageSize(96))
      #expect(!network.nodes.contains { $0.operation.type == "dropout" })
      for options in [
        ModelOptions(widthMultiplier: 0.5), ModelOptions(outputStride: 8),
        ModelOptions(dropPathRate: 0.2), ModelOptions(classes: 0), ModelOptions(inputChannels: 0),
      ] {
        #expect(throws: NetworkError.self) { try entry.network(options) }
      }
    }
  }

  @Test("Images too small for the strides are refused with the layer; odd sizes run")
  func sizes() throws {
    for (model, side, layer) in [
      ("vgg16", 31, "features.30"), ("densenet121", 15, "features.transition3.pool"),
      ("nasnetamobile", 2, "conv0.conv"),
    ] {
      let network = try zoo(model)
      #expect {
        _ = try network.shapes(inputSize: ImageSize(side))
      } throws: {
        "\($0)".hasPrefix(
          "layer '\(layer)' cannot run: an input of \(side)×\(side) pixels is too small")
      }
    }
    for entry in ModelZoo.entries where !entry.isDetector {
      for size in [ImageSize(height: 65, width: 97), ImageSize(height: 131, width: 75)] {
        #expect(
          try entry.network().shapes(inputSize: size).last?.channels
            == entry.network().classCount, "\(entry.name) at \(size)")
      }
    }
  }
}
