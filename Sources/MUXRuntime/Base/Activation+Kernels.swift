// SPDX-License-Identifier: Apache-2.0
package import CMUXKernels
package import MUXNetworks

extension Activation {
  /// The function as the kernels of inference and of training take it.
  package var kernels: mux_activation {
    mux_activation(kind: kind.kernels, alpha: Float(alpha), beta: Float(beta))
  }
}

extension Activation.Kind {
  fileprivate var kernels: mux_activation_kind {
    switch self {
    case .identity: MUX_IDENTITY
    case .relu: MUX_RELU
    case .relu6: MUX_RELU6
    case .swish: MUX_SWISH
    case .hardSwish: MUX_HARD_SWISH
    case .sigmoid: MUX_SIGMOID
    case .hardSigmoid: MUX_HARD_SIGMOID
    }
  }
}
