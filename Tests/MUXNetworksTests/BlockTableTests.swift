// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import Testing

/// Parameters and multiply-adds of each block at 224 pixels, from the running reference models.
@Suite("Block tables")
struct BlockTableTests {
  private static let tables: [String: [(parameters: Int, multiplyAdds: Int)]] = [
    "muxnet_m": [
      (696, 8_128_512), (1_206, 9_935_136), (9_474, 38_839_680), (3_153, 6_323_040),
      (3_153, 6_323_040), (12_834, 12_321_664), (11_215, 5_460_240), (11_215, 5_460_240),
      (36_350, 8_821_760), (46_910, 6_129_600), (46_910, 6_129_600), (164_444, 20_472_960),
      (84_490, 10_696_896), (84_490, 10_696_896), (225_156, 14_666_288), (161_020, 4_996_800),
      (161_020, 4_996_800), (161_020, 4_996_800), (589_960, 17_588_160), (258_560, 12_544_000),
      (1_281_000, 1_280_000),
    ],
    "muxnet_l": [
      (696, 8_128_512), (1_206, 9_935_136), (14_178, 58_259_520), (7_017, 16_709_904),
      (7_017, 16_709_904), (19_202, 18_482_496), (15_055, 8_470_800), (15_055, 8_470_800),
      (15_055, 8_470_800), (54_430, 13_232_640), (46_910, 6_129_600), (46_910, 6_129_600),
      (46_910, 6_129_600), (168_300, 21_225_600), (95_565, 12_027_600), (95_565, 12_027_600),
      (95_565, 12_027_600), (376_250, 24_719_760), (161_020, 4_996_800), (161_020, 4_996_800),
      (161_020, 4_996_800), (589_960, 17_588_160), (310_272, 15_052_800), (1_537_000, 1_536_000),
    ],
    "muxnet_xs": [
      (464, 5_419_008), (612, 5_017_728), (3_404, 13_398_144), (1_528, 2_509_184),
      (1_528, 2_509_184), (4_700, 4_353_920), (2_964, 1_242_720), (2_964, 1_242_720),
      (10_610, 2_500_416), (9_180, 1_021_600), (9_180, 1_021_600), (22_462, 2_853_120),
      (15_988, 1_782_816), (15_988, 1_782_816), (63_178, 3_971_744), (46_910, 1_543_200),
      (46_910, 1_543_200), (46_910, 1_543_200), (76_588, 2_298_480), (135_680, 6_522_880),
      (1_281_000, 1_280_000),
    ],
    "muxnet_s": [
      (464, 5_419_008), (612, 5_017_728), (4_524, 17_864_192), (2_281, 3_763_776),
      (2_281, 3_763_776), (10_124, 9_309_952), (7_250, 3_088_128), (7_250, 3_088_128),
      (23_432, 5_650_944), (15_988, 1_782_816), (15_988, 1_782_816), (84_202, 10_631_040),
      (44_285, 4_953_600), (44_285, 4_953_600), (119_964, 7_705_920), (84_490, 2_695_392),
      (84_490, 2_695_392), (84_490, 2_695_392), (294_708, 8_838_816), (186_880, 9_031_680),
      (1_281_000, 1_280_000),
    ],
  ]

  @Test(
    "Each block costs what the reference costs",
    arguments: ["muxnet_xs", "muxnet_s", "muxnet_m", "muxnet_l"])
  func blocks(model: String) throws {
    let expected = try #require(Self.tables[model])
    let blocks = try costs(model).blocks
    #expect(blocks.map(\.parameters) == expected.map(\.parameters))
    #expect(blocks.map(\.multiplyAdds) == expected.map(\.multiplyAdds))
  }

  @Test("MUXNet-m has the authors' 413 state entries, 248 of them learnable")
  func stateDict() throws {
    let parameters = try zoo("muxnet_m").parameters
    #expect(parameters.count == 413)
    #expect(parameters.filter(\.isLearnable).count == 248)
    #expect(Set(parameters.map(\.name)).count == 413)
    #expect(parameters.first?.name == "conv_stem.weight")
    #expect(parameters.last?.name == "classifier.bias")
    #expect(parameters.contains { $0.name == "blocks.13.0.conv_dw.4.weight" })
  }

  @Test("Multiplexed branches carry the authors' names and shapes")
  func branchNames() throws {
    let own = try zoo("muxnet_xs").parameters.filter { $0.name.hasPrefix("blocks.2.0.conv_dw.") }
    #expect(
      own.map { "\($0.name) \($0.shape)" } == [
        "blocks.2.0.conv_dw.convs.0.1.weight [32, 1, 3, 3]",
        "blocks.2.0.conv_dw.convs.1.weight [8, 1, 3, 3]",
        "blocks.2.0.conv_dw.convs.2.weight [8, 1, 3, 3]",
        "blocks.2.0.conv_dw.convs.3.1.weight [2, 1, 3, 3]",
      ])
  }
}
