// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

@Suite("Names of packages that number blocks in one row")
struct NumberedBlockNamesTests {
  private func own(_ names: [String], network: String) throws -> [String] {
    var archive = TensorArchive()
    for name in names { archive[name] = ArchivedTensor([1], shape: [1]) }
    return archive.named(for: try ModelZoo.network(named: network).parameters).names
  }

  @Test("Blocks find their stages, layers their names", arguments: ["", "module.", "model.net."])
  func rules(prefix: String) throws {
    let names = [
      ("_conv_stem.weight", "conv_stem.weight"), ("_bn0.bias", "bn1.bias"),
      ("_blocks.0._depthwise_conv.weight", "blocks.0.0.conv_dw.weight"),
      ("_blocks.0._bn1.running_var", "blocks.0.0.bn1.running_var"),
      ("_blocks.0._se_reduce.bias", "blocks.0.0.se.conv_reduce.bias"),
      ("_blocks.0._project_conv.weight", "blocks.0.0.conv_pw.weight"),
      ("_blocks.0._bn2.weight", "blocks.0.0.bn2.weight"),
      ("_blocks.1._expand_conv.weight", "blocks.1.0.conv_pw.weight"),
      ("_blocks.1._bn0.weight", "blocks.1.0.bn1.weight"),
      ("_blocks.2._se_expand.weight", "blocks.1.1.se.conv_expand.weight"),
      ("_blocks.15._project_conv.weight", "blocks.6.0.conv_pwl.weight"),
      ("_blocks.15._bn2.num_batches_tracked", "blocks.6.0.bn3.num_batches_tracked"),
      ("_conv_head.weight", "conv_head.weight"), ("_bn1.weight", "bn2.weight"),
      ("_fc.bias", "classifier.bias"),
      // What follows no rule stays, and is refused under its own name.
      ("_blocks.16._bn2.weight", "_blocks.16._bn2.weight"),
      ("_blocks.x._bn2.weight", "_blocks.x._bn2.weight"), ("_swish.weight", "_swish.weight"),
    ]
    let found = try own(names.map { prefix + $0.0 }, network: "tf_efficientnet_b0")
    #expect(found == names.map(\.1))
  }

  @Test("Files with our names, and others', are left alone")
  func others() throws {
    let names = ["conv_stem.weight", "_blocks.0._bn1.weight"]
    #expect(try own(names, network: "tf_efficientnet_b0") == names)
    #expect(try own(["_blocks.0._bn1.weight"], network: "resnet50") == ["_blocks.0._bn1.weight"])
  }

  private static let map = "reference/pretrained/efficientnet_lite0_names_to_timm.json"

  @Test(
    "Every name of a public file of EfficientNet-Lite0",
    .enabled(if: Shared.has(map), "\(Shared.absent)"))
  func publicFile() throws {
    let map = try JSONDecoder().decode(
      [String: String].self, from: Data(contentsOf: URL(filePath: Shared.path(Self.map))))
    let names = map.keys.sorted()
    #expect(names.count > 200)
    #expect(try own(names, network: "tf_efficientnet_lite0") == names.map { map[$0] ?? "" })
    let parameters = try ModelZoo.network(named: "tf_efficientnet_lite0").parameters.map(\.name)
    #expect(Set(map.values) == Set(parameters))
  }
}
