// SPDX-License-Identifier: Apache-2.0
import MUXCore
import Testing

@Suite struct NamePatternTests {
  @Test(
    "a star stands for any characters, a whole part for what is below it",
    arguments: [
      ("conv_stem.weight", "conv_stem.weight", true), ("conv_stem", "conv_stem.weight", true),
      ("conv", "conv_stem.weight", false), ("blocks.1", "blocks.10.0.bn1.bias", false),
      ("blocks.1", "blocks.1.0.bn1.bias", true), ("blocks.*.bn1", "blocks.3.2.bn1.bias", true),
      ("*.bias", "blocks.3.2.bn1.bias", true), ("*.bias", "blocks.3.bias_free.weight", false),
      ("*", "a", true), ("", "a.b", false), ("**.b*", "a.b.c", true), ("a.b.c.d", "a.b.c", false),
      ("bn*", "blocks.0.bn1", false), ("*0.1*", "blocks.10.1.bn.weight", true),
    ])
  func matching(pattern: String, name: String, expected: Bool) {
    #expect(NamePattern(pattern).matches(name) == expected)
  }

  @Test("many stars cost no time")
  func stars() {
    let pattern = NamePattern(String(repeating: "*a", count: 90))
    #expect(!pattern.matches(String(repeating: "a", count: 89) + "b"))
    #expect(pattern.matches(String(repeating: "a", count: 500)))
  }

  @Test("a pattern that matches nothing is told what is near to it")
  func hints() {
    let names = ["conv_stem.weight", "blocks.0.0.conv_dw.weight", "classifier.bias"]
    #expect(NamePattern("conv_sten*").hint(among: names).contains("near to it are conv_stem"))
    #expect(
      NamePattern("transformer_layers").hint(among: names)
        == "; names begin with conv_stem, blocks, classifier")
  }
}
