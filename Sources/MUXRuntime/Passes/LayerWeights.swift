// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks
internal import MUXWeights

/// The tensors of a network by layer; or nothing, where they are packed already.
struct LayerWeights {
  private let checked: CheckedWeights?

  /// The weights of a plan whose packed weights come from elsewhere: empty lists, and batch norms
  /// that change nothing.
  static let absent = LayerWeights(nil)

  init(_ checked: CheckedWeights?) { self.checked = checked }

  /// The file that they come from, if from one.
  var path: String? { checked?.path }

  /// The tensor of a layer by what it is there.
  func values(_ role: ParameterRole, of layer: String) -> [Float] {
    checked?.values(role, of: layer) ?? []
  }

  /// The weight of a convolution or a linear layer, row-major.
  func weight(_ layer: String) -> [Float] { values(.convolutionWeight, of: layer) }

  /// The bias of a convolution or a linear layer.
  func bias(_ layer: String) -> [Float] { values(.bias, of: layer) }

  /// The weights of layers, one after the other.
  func weight(_ tensors: LayerTensors) -> [Float] { joined(tensors.layers, weight) }

  /// Their biases; nothing if they have none.
  func bias(_ tensors: LayerTensors) -> [Float] {
    tensors.hasBias ? joined(tensors.layers, bias) : []
  }

  private func joined(_ layers: [String], _ values: (String) -> [Float]) -> [Float] {
    layers.count == 1 ? values(layers[0]) : layers.flatMap(values)
  }

  /// What is done after a layer of so many outputs: its bias, and the batch norms after it.
  func affine(_ tensors: LayerTensors, channels: Int) -> Affine<Float> {
    var affine = affine(tensors.norms, channels: channels)
    affine.after(bias: bias(tensors))
    return affine
  }

  /// What batch norms do, one after the other.
  func affine(_ norms: [LayerTensors.Norm], channels: Int) -> Affine<Float> {
    var affine = Affine<Float>(channels: channels)
    for norm in norms { affine.then(folded(norm.norm, name: norm.name)) }
    return affine
  }

  /// γ/√(σ² + ε) and β − μ·γ/√(σ² + ε) of a batch norm.
  func folded(_ norm: BatchNormalization, name: String) -> Affine<Float> {
    checked?.affine(norm, name, as: Float.self) ?? Affine(channels: norm.channels)
  }
}
