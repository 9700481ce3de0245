// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

extension Match {
  /// A line: the pattern, then the layers by their part in it.
  func text(_ network: Network) -> String {
    func name(_ node: Int) -> String { node < 0 ? Network.inputName : network.nodes[node].name }
    func layer(_ part: String, _ layer: Layer?) -> String? {
      guard let layer else { return nil }
      return ([" \(part)=\(name(layer.node))"] + layer.chain.nodes.map { "+\(name($0))" }).joined()
    }
    func sum(_ sum: Sum?) -> String? {
      guard let sum else { return nil }
      let activation =
        sum.activation == .identity ? "" : "+\(sum.activation.kind.rawValue)"
      return " sum=\(name(sum.node))\(activation) of=\(name(sum.addend))"
        + (sum.isOverwriting ? " in place" : "")
    }
    let own = layer("layer", chain.map { Layer(node: node, chain: $0) })
    let parts: [String?]
    switch pattern {
    case .block(let block):
      parts = [
        "block", layer("expansion", block.expansion), layer("spatial", block.spatial),
        block.excitation.map { " excitation=\(name($0.reduce)),\(name($0.expand))" },
        layer("projection", block.projection), block.keptSum.map { " kept for=\(name($0))" },
        sum(block.sum),
      ]
    case .convolution(let added, let isPooled):
      parts = ["convolution", own, sum(added), isPooled ? " means=\(name(end))" : nil]
    case .branches: parts = ["branches layer=\(name(node))"]
    case .linear: parts = ["linear", own]
    case .norm(let activation):
      parts = [
        "norm layer=\(name(node))",
        activation == .identity ? nil : "+\(activation.kind.rawValue)",
      ]
    case .single: parts = ["single layer=\(name(node))"]
    case .selection: parts = ["selection layer=\(name(node))"]
    }
    return parts.compactMap(\.self).joined()
  }
}
