// SPDX-License-Identifier: Apache-2.0

/// The grammar of block strings: a kind, then tokens, joined by underscores.
///
/// | token | setting | default |
/// | --- | --- | --- |
/// | `cn`, `ds`, `dsa`, `ir`, `mux` | the kind of block, first | – |
/// | `r2` | repeats | 1 |
/// | `k3`, `k3.5.7` | kernel size, or several mixed over the channels (or one per scale) | 3 |
/// | `s2` | stride of the first repeat | 1 |
/// | `e6`, `e2.5` | expansion ratio (ir, mux) | 1 |
/// | `c40` | output channels, required | – |
/// | `se0.75` | squeeze-and-excitation ratio of the (processed) input channels | 0 |
/// | `nre`, `nr6`, `nsw`, `nhs` | activation: ReLU, ReLU6, swish, hard swish | the network's |
/// | `noskip` | no residual sum | with it |
/// | `l0.25` | leave-out ratio (mux) | 0.5 |
/// | `gw2` | channels per group of the spatial convolution (ir, mux) | 1 |
/// | `sg2` | groups of the channel shuffle (mux) | 2 |
/// | `a1.1` | a 1×1 expansion for each of as many equal groups (ir) | `a1` |
/// | `p1.1` | a 1×1 projection for each of as many equal groups (ir) | `p1` |
/// | `sc-1.0.0.1` | scales of spatial multiplexing: −1 subpixel, 0 plain, 1 superpixel (ir, mux) | none |
/// | `f2` | r, the side of multiplexed windows (ir, mux) | 2 |
public enum BlockStringGrammar {
  /// Reads a block string.
  ///
  /// - Throws: ``NetworkError/blockString(text:offset:reason:)`` with the position of the token.
  public static func parse(_ text: String) throws(NetworkError) -> BlockSpecification {
    var parser = BlockStringParser(text: text)
    return try parser.parse()
  }

  /// Writes a block in canonical form; settings at their defaults are left out.
  public static func format(_ block: BlockSpecification) -> String {
    var tokens = [block.kind.rawValue]
    if block.repeats != 1 { tokens.append("r\(block.repeats)") }
    tokens.append("k" + block.kernelSizes.map(String.init).joined(separator: "."))
    if block.expansionGroups != 1 { tokens.append("a" + ones(block.expansionGroups)) }
    if block.projectionGroups != 1 { tokens.append("p" + ones(block.projectionGroups)) }
    if block.stride != 1 { tokens.append("s\(block.stride)") }
    if block.expansion != 1 { tokens.append("e" + number(block.expansion)) }
    tokens.append("c\(block.channels)")
    if block.kind == .mux && block.leaveOutRatio != 0.5 {
      tokens.append("l" + number(block.leaveOutRatio))
    }
    if block.squeezeRatio != 0 { tokens.append("se" + number(block.squeezeRatio)) }
    if let token = block.activation?.token { tokens.append("n" + token) }
    if block.groupWidth != 1 { tokens.append("gw\(block.groupWidth)") }
    if block.kind == .mux && block.shuffleGroups != 2 { tokens.append("sg\(block.shuffleGroups)") }
    if !block.scales.isEmpty {
      tokens.append("sc" + block.scales.map { String($0.rawValue) }.joined(separator: "."))
    }
    if block.multiplexingFactor != 2 { tokens.append("f\(block.multiplexingFactor)") }
    if block.skipsResidual { tokens.append("noskip") }
    return tokens.joined(separator: "_")
  }

  private static func ones(_ count: Int) -> String {
    repeatElement("1", count: count).joined(separator: ".")
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9 ? String(Int(value)) : String(value)
  }
}

extension BlockSpecification: CustomStringConvertible, Codable {
  /// The block string.
  public var description: String { BlockStringGrammar.format(self) }

  /// Reads a block from its string.
  public init(_ text: String) throws(NetworkError) {
    self = try BlockStringGrammar.parse(text)
  }

  /// Reads a block from its string.
  public init(from decoder: any Decoder) throws {
    self = try BlockStringGrammar.parse(decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the block string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
