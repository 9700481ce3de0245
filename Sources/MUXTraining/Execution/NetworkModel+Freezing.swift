// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor

extension NetworkModel {
  /// The names of the parameters that have no gradients.
  public var frozenNames: Set<String> {
    Set(
      zip(specifications, state).lazy.filter { $0.0.isLearnable && !$0.1.requiresGrad }
        .map(\.0.name))
  }

  /// Gives these parameters no gradients from now on, and all others gradients.
  ///
  /// Nothing is recorded before the first layer that is trained, so that what lies before it costs
  /// no backward pass.
  ///
  /// - Parameters:
  ///   - names: The parameters that rest; names that the network lacks are passed over.
  ///   - norms: Which batch norms do not follow the batches.
  public func freeze(_ names: Set<String>, resting norms: RestingNorms) throws {
    for (specification, tensor) in zip(specifications, state) where specification.isLearnable {
      let isFrozen = names.contains(specification.name)
      if tensor.requiresGrad == isFrozen { try tensor.setRequiresGrad(!isFrozen) }
      if isFrozen { try tensor.setGrad(nil) }
    }
    restingNorms = network.resting(norms, frozen: names)
  }

  /// The name of the last layer's bias, if it has one.
  var headBiasName: String? {
    guard let classifier = network.classifier else { return nil }
    return specifications.last { $0.node == classifier.index && $0.role == .bias }?.name
  }

  /// Draws the last layer's weight anew, small, if it is among those that other weights left as they were.
  func drawNewHead(_ names: [String], seed: UInt64) throws {
    let initializer = ParameterInitializer(network.initialization, seed: seed)
    for (index, specification) in specifications.enumerated()
    where specification.role == .linearWeight && specification.node == network.classifier?.index
      && names.contains(specification.name)
    {
      let weight = try initializer.weightOfNewHead(specification.shape, index: index)
      let values = try weight.to(dtype).to(device)
      try withoutGradient { () throws(TorchError) in try state[index].copyInPlace(from: values) }
    }
  }

  /// Overwrites the last layer's bias.
  func setHeadBias(_ values: [Float]) throws {
    guard let name = headBiasName, let bias = tensor(named: name) else { return }
    let values = try Tensor(values, shape: bias.shape).to(dtype).to(device)
    try withoutGradient { () throws(TorchError) in try bias.copyInPlace(from: values) }
  }
}

extension Network {
  /// The batch norms that do not follow the batches, by their nodes.
  ///
  /// - Parameters:
  ///   - norms: Which do not.
  ///   - names: The parameters that rest.
  func resting(_ norms: RestingNorms, frozen names: Set<String>) -> Set<Int> {
    switch norms {
    case .none: return []
    case .all: return Set(nodes.indices.filter { nodes[$0].isBatchNorm })
    case .frozen:
      var learnable: [Int: [String]] = [:]
      for parameter in parameters where parameter.isLearnable {
        learnable[parameter.node, default: []].append(parameter.name)
      }
      return Set(
        learnable.filter { nodes[$0.key].isBatchNorm && $0.value.allSatisfy(names.contains) }.keys)
    }
  }
}

extension Node {
  var isBatchNorm: Bool {
    if case .batchNormalization = operation { true } else { false }
  }
}
