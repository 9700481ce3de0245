// SPDX-License-Identifier: Apache-2.0
public import MUXTensor

/// Changes parameters by their gradients, and can be saved in the middle of a run.
public protocol Optimizer: AnyObject {
  /// Updates done so far; part of the state.
  var updates: Int { get set }
  /// The updates that were done when the parameters began to be trained that rested at first; nil
  /// before that, and where there are none. Part of the state.
  var lateStart: Int? { get set }
  /// The buffers beside the parameters, by names such as `momentum/conv_stem.weight`; changing
  /// their elements changes the optimizer's state.
  var buffers: [NamedTensor] { get }
  /// Updates all parameters that have a gradient.
  func step(learningRate: Double) throws(TorchError)
}

extension OptimizerConfiguration {
  /// The optimizer of these settings for some parameters.
  ///
  /// - Parameters:
  ///   - parameters: What is trained.
  ///   - rates: Which of them have a rate of their own, or rest at first; by default none.
  public func makeOptimizer(
    _ parameters: [NamedTensor], rates: ParameterRates = ParameterRates()
  ) throws(TorchError) -> any Optimizer {
    switch kind {
    case .sgd: try SGD(self, parameters, rates: rates)
    case .rmsprop, .rmspropTensorFlow: try RMSProp(self, parameters, rates: rates)
    case .adamW: try AdamW(self, parameters, rates: rates)
    }
  }

  /// The parameters in groups: those that weight decay acts on, and the others; each of them by rate,
  /// where parameters have rates of their own.
  func groups(_ parameters: [NamedTensor], _ rates: ParameterRates) -> [ParameterGroup] {
    func isDecayed(_ parameter: NamedTensor) -> Bool {
      weightDecay > 0 && (decaysNormAndBias || parameter.tensor.rank > 1)
    }
    struct Kind: Hashable {
      let isDecayed: Bool
      let factor: Double
      let isLate: Bool
    }
    var groups: [ParameterGroup] = []
    var places: [Kind: Int] = [:]
    for parameter in parameters.filter(isDecayed) + parameters.filter({ !isDecayed($0) }) {
      let kind = Kind(
        isDecayed: isDecayed(parameter), factor: rates.factors[parameter.name] ?? 1,
        isLate: rates.late.contains(parameter.name))
      if let place = places[kind] {
        groups[place].parameters.append(parameter)
      } else {
        places[kind] = groups.count
        groups.append(
          ParameterGroup(
            parameters: [parameter], weightDecay: kind.isDecayed ? weightDecay : 0,
            rateFactor: kind.factor, isLate: kind.isLate))
      }
    }
    return groups
  }
}

/// What sets some parameters apart from the others in an optimizer.
public struct ParameterRates: Hashable, Sendable {
  /// Factors of the learning rate by name; 1 where a name is absent.
  public var factors: [String: Double]
  /// The names of parameters that rest at first (`Optimizer.lateStart`).
  public var late: Set<String>

  /// Rates; by default all parameters are alike.
  public init(factors: [String: Double] = [:], late: Set<String> = []) {
    self.factors = factors
    self.late = late
  }
}

/// Parameters that share a weight decay and a rate.
struct ParameterGroup {
  var parameters: [NamedTensor]
  var weightDecay: Double
  var rateFactor = 1.0
  /// Whether they rest at first.
  var isLate = false

  /// The updates of other parameters before the first of these.
  func updatesBefore(_ lateStart: Int?) -> Int { isLate ? lateStart ?? 0 : 0 }

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
