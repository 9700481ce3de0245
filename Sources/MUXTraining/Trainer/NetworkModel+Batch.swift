// SPDX-License-Identifier: Apache-2.0
import MUXEvaluation
import MUXImages
import MUXTensor

extension NetworkModel {
  /// The images of a batch as a tensor [N, C, H, W] on the model's device.
  func images(of batch: PixelBatch) throws -> Tensor {
    let tensor: Tensor
    switch batch.layout {
    case .channelsFirst:
      tensor = try Tensor(batch.values, shape: batch.shape)
    case .channelsLast:
      // A view: the sizes in the usual order, the memory as it is.
      tensor = try Tensor(
        batch.values, shape: [batch.count, batch.height, batch.width, batch.channels]
      ).permute([0, 3, 1, 2])
    }
    return try tensor.to(dtype).to(device)
  }

  /// All outputs for a batch, in the model's element type.
  func outputs(
    of batch: PixelBatch, precision: TrainingConfiguration.Precision
  ) throws -> [Tensor] {
    let input = try images(of: batch)
    guard let short = precision.autocast else { return try outputs(input) }
    // `withAutocast` lets only TorchErrors through; the result carries the others.
    let outcome = try withAutocast(device, short) { () throws(TorchError) in
      Result { try outputs(input) }
    }
    return try outcome.get().map { try $0.to(dtype) }
  }
}

extension TrainingConfiguration.Precision {
  /// The short type of mixed precision, if there is one.
  var autocast: DType? {
    switch self {
    case .float32: nil
    case .bfloat16: .bfloat16
    case .float16: .float16
    }
  }
}
