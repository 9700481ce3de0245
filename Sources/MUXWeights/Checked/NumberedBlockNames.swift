// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// The names of weights in the packages `efficientnet-pytorch` and `efficientnet-lite-pytorch`, as rules:
/// blocks are numbered in one row, not by stage, and all layers begin with an underscore.
struct NumberedBlockNames {
  /// A tensor that their files have and no others.
  static let firstTensor = "_conv_stem.weight"

  /// Their layers outside of blocks, and ours.
  private static let layers = [
    "_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
    "_fc": "classifier",
  ]
  /// Their layers of every block, and ours.
  private static let common = [
    "_depthwise_conv": "conv_dw", "_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand",
  ]
  /// Those of a block that expands its channels first.
  private static let expanding = [
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_bn1": "bn2", "_project_conv": "conv_pwl",
    "_bn2": "bn3",
  ].merging(common) { $1 }
  /// Those of a block that does not.
  private static let separable = [
    "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2",
  ].merging(common) { $1 }

  /// Our blocks in order, and the layers of each.
  private let blocks: [(name: String, layers: [String: String])]

  /// The names for a network whose blocks are named `blocks.STAGE.INDEX`.
  init(_ parameters: [ParameterSpecification]) {
    var order: [String] = []
    var expands: Set<String> = []
    for parameter in parameters {
      let parts = parameter.name.split(separator: ".")
      guard parts.count > 3, parts[0] == "blocks" else { continue }
      let block = parts[0..<3].joined(separator: ".")
      if order.last != block { order.append(block) }
      if parts[3] == "conv_pwl" { expands.insert(block) }
    }
    blocks = order.map { ($0, expands.contains($0) ? Self.expanding : Self.separable) }
  }

  /// Our name for one of theirs; names that follow no rule stay.
  func own(_ name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count > 2, parts[0] == "_blocks", let number = Int(parts[1]),
      blocks.indices.contains(number), let layer = blocks[number].layers[parts[2]]
    {
      parts.replaceSubrange(0...2, with: [blocks[number].name, layer])
    } else if let layer = Self.layers[parts[0]] {
      parts[0] = layer
    }
    return parts.joined(separator: ".")
  }
}
