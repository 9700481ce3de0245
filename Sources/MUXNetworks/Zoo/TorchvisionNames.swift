// SPDX-License-Identifier: Apache-2.0

/// The weight names of torchvision for networks whose own names follow timm, so that torchvision's
/// checkpoints load by name as well. What is computed stays the same.
enum TorchvisionNames: Sendable {
  /// `features.3.conv.0.0`: mobilenet_v2.
  case mobileNetV2
  /// `features.3.block.0.0`, and a linear layer as head: mobilenet_v3_large, mobilenet_v3_small.
  case mobileNetV3
  /// `features.2.0.block.0.0`: efficientnet_b0.
  case efficientNet
  /// `layers.8.0.layers.0`: mnasnet1_0.
  case mnasNet

  /// The network of an architecture under torchvision's names.
  func network(
    _ architecture: Architecture, _ options: BuiltNetworkOptions
  ) throws(NetworkError) -> Network {
    let network = try architecture.applying(
      ModelOptions(
        classes: options.classes, inputChannels: options.inputChannels,
        inputSize: options.inputSize, dropoutRate: options.dropoutRate)
    ).network()
    var names: [String: String] = [:]
    let blocks = network.blocks.filter { $0.name != "classifier" }
    for (position, block) in blocks.enumerated() {
      let place = Place(block.name, position: position, stages: architecture.stages.count)
      let steps = Self.steps(network.nodes[block.nodes])
      for (index, step) in steps.enumerated() {
        let isLast = index == steps.count - 1
        for (part, node) in step.enumerated() {
          names[node.name] = name(
            place, step: index, part: part, isLast: isLast,
            isGate: node.name.contains(".se."))
        }
      }
    }
    names["classifier"] = self == .mobileNetV3 ? "classifier.3" : "classifier.1"
    if self == .mobileNetV3 { names["conv_head"] = "classifier.0" }
    return try Network(
      name: network.name, inputChannels: network.inputChannels, inputSize: network.inputSize,
      nodes: try nodes(network).map { node in
        Node(
          name: names[node.name] ?? node.name, operation: node.operation,
          inputs: node.inputs.map { names[$0] ?? $0 })
      }, blocks: network.blocks, initialization: network.initialization)
  }

  /// Where a block stands.
  private struct Place {
    /// Its position, the stem's being 0.
    var position: Int
    /// Its stage, the stem's being 0 and the head's the last.
    var stage: Int
    /// Its position in the stage, nil for stem and head.
    var copy: Int?

    init(_ name: String, position: Int, stages: Int) {
      self.position = position
      let parts = name.split(separator: ".").compactMap { Int($0) }
      stage = parts.count == 2 ? parts[0] + 1 : name == "stem" ? 0 : stages + 1
      copy = parts.count == 2 ? parts[1] : nil
    }
  }

  /// The nodes with weights in steps: a convolution and its norm, or the two layers of a gate.
  private static func steps(_ nodes: ArraySlice<Node>) -> [[Node]] {
    var steps: [[Node]] = []
    for node in nodes where !node.parameters(at: 0).isEmpty {
      let isSecond =
        node.name.hasSuffix("se.conv_expand") || node.operation.type == "batchNormalization"
      if isSecond, !steps.isEmpty {
        steps[steps.count - 1].append(node)
      } else {
        steps.append([node])
      }
    }
    return steps
  }

  private func name(
    _ place: Place, step: Int, part: Int, isLast: Bool, isGate: Bool
  ) -> String {
    let leaf = isGate ? "fc\(part + 1)" : "\(part)"
    let isAlone = step == 0 && isLast
    switch self {
    case .mobileNetV2:
      if isAlone { return "features.\(place.position).\(part)" }
      // The projection and its norm stand in the list itself.
      return "features.\(place.position).conv." + (isLast ? "\(step + part)" : "\(step).\(part)")
    case .mobileNetV3:
      return "features.\(place.position)." + (isAlone ? leaf : "block.\(step).\(leaf)")
    case .efficientNet:
      guard let copy = place.copy else { return "features.\(place.stage).\(part)" }
      return "features.\(place.stage).\(copy).block.\(step).\(leaf)"
    case .mnasNet:
      // Each convolution is followed by its norm and an activation; the stem and the first block
      // stand in the outer list, which they fill up to 7.
      let index = step * 3 + part
      switch (place.stage, place.copy) {
      case (0, _): return "layers.\(index)"
      case (1, _): return "layers.\(index + 3)"
      case (let stage, let copy?): return "layers.\(stage + 6).\(copy).layers.\(index)"
      case (let stage, nil): return "layers.\(stage + 6 + part)"
      }
    }
  }

  /// The nodes; MobileNetV3's head is a linear layer here.
  private func nodes(_ network: Network) throws(NetworkError) -> [Node] {
    guard self == .mobileNetV3,
      let head = network.index(ofNode: "conv_head"),
      let flatten = network.index(ofNode: "flatten"),
      case .convolution(let convolution) = network.nodes[head].operation
    else { return network.nodes }
    var nodes = network.nodes
    let linear = Linear(
      inputFeatures: convolution.inputChannels, outputFeatures: convolution.outputChannels)
    // Mean, convolution, activation, flatten become mean, flatten, linear, activation.
    let pool = nodes[head].inputs
    let activation = nodes[flatten].inputs[0]
    nodes[head] = Node(name: "flatten", operation: .flatten, inputs: pool)
    nodes.insert(
      Node(name: "conv_head", operation: .linear(linear), inputs: ["flatten"]), at: head + 1)
    nodes.remove(at: flatten + 1)
    for index in nodes.indices.dropFirst(head + 2) {
      nodes[index].inputs = nodes[index].inputs.map { $0 == "flatten" ? activation : $0 }
    }
    return nodes
  }
}
