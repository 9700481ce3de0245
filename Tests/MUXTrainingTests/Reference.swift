// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXTensor
import MUXTestSupport
import MUXTraining
import MUXWeights
import Testing

extension Reference {
  /// The tensors of one of the files.
  static func archive(_ name: String) throws -> TensorArchive {
    try Safetensors.read(path(name))
  }
}

extension TensorArchive {
  func tensor(_ name: String) throws -> Tensor {
    let archived = try #require(self[name], "no tensor \(name)")
    return try Tensor(archived.floats, shape: archived.shape)
  }

  /// The tensors under a prefix, by their names without it.
  func entries(under prefix: String) -> TensorArchive {
    var part = TensorArchive()
    for name in names where name.hasPrefix(prefix) {
      part[String(name.dropFirst(prefix.count))] = self[name]
    }
    return part
  }
}

/// The largest difference, as a share of the largest expected value.
func relativeDifference(_ actual: Tensor, _ expected: Tensor) throws -> Double {
  guard actual.shape == expected.shape else { return .infinity }
  return try withoutGradient { () throws(TorchError) in
    let scale = try expected.absolute().max().item()
    return try (actual.to(expected.dtype) - expected).absolute().max().item() / max(scale, 1e-30)
  }
}

/// A network of a few layers made for a test.
func smallNetwork(
  _ name: String, inputChannels: Int, side: Int = 14,
  _ body: (inout NetworkBuilder, NetworkBuilder.Value) throws -> Void
) throws -> Network {
  var builder = NetworkBuilder(
    name: name, inputChannels: inputChannels, inputSize: ImageSize(side))
  let input = builder.input
  try body(&builder, input)
  return try builder.build()
}
