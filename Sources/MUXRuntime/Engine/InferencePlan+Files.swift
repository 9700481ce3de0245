// SPDX-License-Identifier: Apache-2.0
public import MUXNetworks
internal import MUXWeights

extension InferencePlan {
  /// Makes a plan of the model in a file: packed (``PackedModel``), or safetensors with the network
  /// inside (``ModelFile``). Classes and the preparation of images are those of the file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - inputSize: The size of the images; nil takes that of the preparation, else the network's own.
  ///   - instructionSet: The kernels' variant; nil takes the best one here.
  ///   - precision: The precision of operands; nil takes what a packed file is for, else single
  ///     precision. 8 bits are for packed files (`muxnet quantize`), which hold the calibration.
  ///   - loading: Whether a file is used where it lies, or copied: copy it where others may write over it.
  /// - Throws: ``RuntimeError``, `SafetensorsError` or `NetworkError`.
  public convenience init(
    model path: String, inputSize: ImageSize? = nil, instructionSet: InstructionSet? = nil,
    precision: Precision? = nil, loading: ModelLoading = .mapped
  ) throws {
    if PackedModel.isPacked(path) {
      try self.init(
        PackedModel(contentsOf: path, loading: loading), inputSize: inputSize,
        instructionSet: instructionSet,
        precision: precision)
      return
    }
    let model = try ModelFile(contentsOf: path, loading: loading)
    try self.init(
      CheckedWeights(model.weights, for: model.network, path: path), inputSize: inputSize,
      instructionSet: instructionSet, precision: precision ?? .float32,
      classNames: model.classNames, task: model.task, taskSettings: model.taskSettings,
      pipeline: model.pipeline)
  }
}
