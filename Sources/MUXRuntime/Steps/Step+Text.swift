// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

extension Program {
  /// What a step does with what it reads: windows, tensors by name, activations, parts.
  func details(of step: Step) -> String {
    switch step.operation {
    case .spatial(let spatial): return Self.details(spatial)
    case .dense(let dense): return Self.details(dense)
    case .linear(let linear):
      let weights = linear.weights == .float32 ? "" : " of \(linear.weights.rawValue)"
      return "\(linear.tensors)\(weights)\(Self.text(linear.activation))"
    case .elementwise(let step):
      let mode = step.mode == .unary ? "" : " \(step.mode.rawValue)"
      let norm = step.norm.map { " \($0.name)" } ?? ""
      let text = "\(mode)\(norm)\(Self.text(step.activation))"
      return text.isEmpty ? "copy" : String(text.dropFirst())
    case .planes(let step): return Self.details(step.function)
    case .l2Normalization, .unblock, .pack: return ""
    }
  }

  private static func details(_ step: SpatialStep) -> String {
    var parts: [String] = []
    if step.inputActivation != .identity { parts.append("first\(text(step.inputActivation))") }
    if let expansion = step.expansion {
      parts.append(
        "expand \(text(expansion.convolution)) \(expansion.tensors)\(text(expansion.activation))")
    }
    for branch in step.branches {
      let mode =
        switch branch.mode {
        case .plain: ""
        case .subpixel: " subpixel \(branch.factor)"
        case .superpixel, .narrowSuperpixel: " superpixel \(branch.factor)"
        }
      parts.append("\(text(branch.convolution))\(mode) \(branch.tensors)")
    }
    let norms = step.norms.map(\.name).joined(separator: "+")
    let end = "\(norms.isEmpty ? "" : " \(norms)")\(text(step.activation))"
    if !end.isEmpty { parts.append("then\(end)") }
    if step.precision != .float32 { parts.append("products of \(step.precision.rawValue)") }
    let tiling = step.tiling, units = step.layout.units.count
    parts.append("ring \(tiling.chunk) rows")
    parts.append(
      "tasks \(tiling.rowsPerTask) rows × \(min(tiling.unitsPerTask, units))/\(units) units")
    return parts.joined(separator: "; ")
  }

  private static func details(_ step: DenseStep) -> String {
    var convolution = "1×1"
    if case .windows(_, let windows) = step.source { convolution = text(windows) }
    var parts = ["\(convolution) \(step.tensors)\(text(step.activation))"]
    if step.rows.count != step.rowCount {
      parts.append("rows \(step.rows.lowerBound)..<\(step.rows.upperBound)")
    }
    if let sum = step.sum, sum.activation != .identity {
      parts.append("then\(text(sum.activation))")
    }
    if let tiles = step.winograd {
      parts.append("Winograd's tiles of \(tiles.side)×\(tiles.side)")
    }
    if step.isPooled { parts.append("means") }
    if let weights = step.linearWeights { parts.append("weights of \(weights.rawValue)") }
    if step.precision != .float32 { parts.append("products of \(step.precision.rawValue)") }
    return parts.joined(separator: "; ")
  }

  private static func details(_ function: PlaneStep.Function) -> String {
    switch function {
    case .pool(nil): "mean"
    case .pool(let pooling?):
      "\(pooling.kind.rawValue) \(pooling.kernelSize)×\(pooling.kernelSize) stride"
        + " \(pooling.stride)\(pooling.padding == 0 ? "" : " padding \(pooling.padding)")"
    case .adaptivePool: "adaptive"
    case .pad(let top, let left): "top \(top) left \(left)"
    case .multiplex(let toChannels, let factor, let height, let width):
      "\(toChannels ? "windows to channels" : "channels to windows") \(factor) on"
        + " \(height)×\(width)"
    }
  }

  private static func text(_ activation: Activation) -> String {
    guard activation != .identity else { return "" }
    let usual = activation == Activation(activation.kind)
    return " \(activation.kind.rawValue)\(usual ? "" : "(\(activation.alpha), \(activation.beta))")"
  }

  private static func text(_ convolution: Convolution) -> String {
    var text = "\(convolution.kernelSize)×\(convolution.kernelSize)"
    if convolution.stride != 1 { text += " stride \(convolution.stride)" }
    if convolution.dilation != 1 { text += " dilation \(convolution.dilation)" }
    if convolution.groups != 1 { text += " groups \(convolution.groups)" }
    return text
  }
}

extension LayerTensors: CustomStringConvertible {
  /// The layers, `+bias` where they have one, and the batch norms that are folded in.
  var description: String {
    layers.joined(separator: ",") + (hasBias ? "+bias" : "")
      + norms.map { "+\($0.name)" }.joined()
  }
}
