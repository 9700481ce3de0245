// SPDX-License-Identifier: Apache-2.0
public import Foundation
import MUXInterchange
public import MUXNetworks
public import MUXTensor

/// Runs a network on the tensors of a file, so that it can be compared with any other
/// implementation.
public enum TensorFileRun {
  /// The name of the tensor [N, C, H, W] that is read.
  public static let inputName = "input"
  /// The name of the tensor that is written.
  public static let outputName = "output"

  /// Reads `input`, runs the network in inference mode, and writes `output`.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: Its weights, of any format that `WeightsFile` reads, or the folder of a run.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses.
  ///   - input: A safetensors file with the tensor ``inputName``.
  ///   - output: The safetensors file to write.
  ///   - layer: The layer or block whose value is written; nil takes the network's output.
  ///   - device: Where to run it.
  /// - Returns: The shape of what was written.
  @discardableResult
  public static func run(
    _ network: Network, weights: String, key: String? = nil, input: String, output: String,
    layer: String? = nil, device: Device = .cpu
  ) throws -> [Int] {
    // Cheap checks first: a network takes a while to fill with fresh weights.
    let archive = try WeightsFile.load(input).archive
    guard let images = archive[inputName] else {
      throw TensorFileError(path: input, reason: .missing(found: archive.names))
    }
    guard images.shape.count == 4, images.shape[1] == network.inputChannels else {
      throw TensorFileError(
        path: input, reason: .shape(images.shape, channels: network.inputChannels))
    }
    if let layer { _ = try network.index(ofLayer: layer) }
    let model = try NetworkModel(network, seed: 0, device: device)
    try model.load(WeightsSource.read(weights, key: key), from: weights)
    model.isTraining = false
    let result = try withoutGradient { () throws in
      let batch = try Tensor.copy(of: images).to(.float32).to(device)
      guard let layer else { return try model.forward(batch) }
      return try model.forward(batch, capturing: [layer]).layers[layer] ?? batch
    }
    var written = TensorArchive(metadata: ["network": network.name])
    if let layer { written.metadata["layer"] = layer }
    written[outputName] = try ArchivedTensor(result.contiguous())
    try Safetensors.write(written, to: output)
    return result.shape
  }
}

/// A file of tensors that a network cannot run on.
public struct TensorFileError: Error, Sendable, Hashable, CustomStringConvertible, LocalizedError {
  /// What is wrong.
  public enum Reason: Sendable, Hashable {
    /// There is no tensor `input`; the names that there are.
    case missing(found: [String])
    /// It is not a batch of images of the network's channels.
    case shape([Int], channels: Int)
  }

  /// The path of the file.
  public let path: String
  /// What is wrong.
  public let reason: Reason

  /// What is wrong and how to fix it, in one line.
  public var description: String {
    switch reason {
    case .missing(let found):
      "\(path): no tensor “\(TensorFileRun.inputName)”; it has "
        + (found.isEmpty ? "none" : found.prefix(8).joined(separator: ", "))
    case .shape(let shape, let channels):
      "\(path): “\(TensorFileRun.inputName)” has shape \(shape), but the network takes "
        + "[N, \(channels), H, W]"
    }
  }

  /// The same line, for Foundation.
  public var errorDescription: String? { description }
}
