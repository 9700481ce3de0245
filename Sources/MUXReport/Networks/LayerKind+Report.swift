// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

extension LayerKind {
  /// The kind's name in charts and tables.
  package var title: String {
    switch self {
    case .standardConvolution: "standard convolution"
    case .pointwiseConvolution: "1×1 convolution"
    case .depthwiseConvolution: "depthwise convolution"
    case .groupConvolution: "group convolution"
    case .squeezeExcitation: "squeeze-and-excitation"
    case .linear: "linear"
    case .batchNormalization: "batch norm"
    case .other: "other"
    }
  }

  /// The number of the kind's colour, the same in all charts and drawings.
  package var color: Int {
    switch self {
    case .standardConvolution: 6
    case .pointwiseConvolution: 1
    case .depthwiseConvolution: 2
    case .groupConvolution: 4
    case .squeezeExcitation: 3
    case .linear: 7
    case .batchNormalization, .other: 5
    }
  }
}
