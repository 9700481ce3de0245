// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// Changes parameters by their gradients, and can be saved in the middle of a run.
public protocol Optimizer: AnyObject {
  /// Updates done so far; part of the state.
  var updates: Int { get set }
  /// The buffers beside the parameters, by names such as `momentum/conv_stem.weight`; changing
  /// their elements changes the optimizer's state.
  var buffers: [NamedTensor] { get }
  /// Updates all parameters that have a gradient.
  func step(learningRate: Double) throws(TorchError)
}

extension OptimizerConfiguration {
  /// The optimizer of these settings for some parameters.
  public func makeOptimizer(_ parameters: [NamedTensor]) throws(TorchError) -> any Optimizer {
    switch kind {
    case .sgd: try SGD(self, parameters)
    case .rmsprop, .rmspropTensorFlow: try RMSProp(self, parameters)
    case .adamW: try AdamW(self, parameters)
    }
  }

  /// The parameters in two groups: those that weight decay acts on, and the others.
  func groups(_ parameters: [NamedTensor]) -> [ParameterGroup] {
    func isDecayed(_ parameter: NamedTensor) -> Bool {
      weightDecay > 0 && (decaysNormAndBias || parameter.tensor.rank > 1)
    }
    let decayed = parameters.filter(isDecayed)
    let others = parameters.filter { !isDecayed($0) }
    return [
      ParameterGroup(parameters: decayed, weightDecay: weightDecay),
      ParameterGroup(parameters: others, weightDecay: 0),
    ].filter { !$0.parameters.isEmpty }
  }
}

/// Parameters that share a weight decay.
struct ParameterGroup {
  var parameters: [NamedTensor]
  var weightDecay: Double

  var tensors: [Tensor] { parameters.map(\.tensor) }

  /// A buffer for each parameter, filled with one value, of the same shape and memory format.
  func makeBuffers(_ kind: String, value: Double = 0) throws(TorchError) -> [NamedTensor] {
    var buffers: [NamedTensor] = []
    for parameter in parameters {
      let buffer = try withoutGradient { () throws(TorchError) in
        try parameter.tensor.detach().filled(value)
      }
      buffers.append(NamedTensor(name: "\(kind)/\(parameter.name)", tensor: buffer))
    }
    return buffers
  }
}
