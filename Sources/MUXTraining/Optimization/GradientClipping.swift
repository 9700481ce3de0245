// SPDX-License-Identifier: Apache-2.0
import MUXTensor

extension OptimizerConfiguration {
  /// Limits the gradients as the settings say, values first.
  ///
  /// - Returns: The L2 norm of all gradients together before it was limited; nil where no limit of
  ///   the norm is set. A norm that is not finite is returned, and the gradients stay as they are.
  func clipGradients(of parameters: [Tensor]) throws(TorchError) -> Double? {
    if let clipValue {
      for parameter in parameters {
        try parameter.grad()?.clampInPlace(low: -clipValue, high: clipValue)
      }
    }
    guard let clipNorm else { return nil }
    return try ParameterList.clipGradients(parameters, norm: clipNorm)
  }
}
