// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
import MUXPyTorch
package import MUXTensor
public import MUXWeights

extension NetworkModel {
  /// Loads a weights file of any format that `WeightsFile` reads.
  @discardableResult
  public func load(
    path: String, key: String? = nil, allowing tolerance: LoadTolerance = .exact
  ) throws -> LoadReport {
    try load(WeightsFile.load(path, key: key).archive, from: path, allowing: tolerance)
  }

  /// Overwrites the weights with those of the same names. All is checked before anything changes.
  ///
  /// Names may be as wrappers leave them (`WeightNames` of MUXWeights). Missing batch
  /// counters are no fault: PyTorch wrote none before 0.4.1, and nothing here depends on them.
  ///
  /// - Parameters:
  ///   - archive: the weights.
  ///   - path: where they come from, for messages.
  ///   - tolerance: what may differ.
  /// - Returns: what was loaded and what was not.
  /// - Throws: `WeightsMismatchError` where more differs than is allowed, or nothing fits;
  ///   `TensorValueError` where a tensor holds numbers that no network can compute with.
  @discardableResult
  public func load(
    _ archive: TensorArchive, from path: String? = nil, allowing tolerance: LoadTolerance = .exact
  ) throws -> LoadReport {
    let archive = archive.named(for: specifications)
    let report = LoadReport(archive, for: specifications)
    let accepted =
      switch tolerance {
      case .exact: report.isComplete
      case .newHead: isComplete(report, except: classifierNames)
      case .partial: !report.loaded.isEmpty
      }
    guard accepted else {
      throw WeightsMismatchError(
        network: network.name, path: path, report: report, tolerance: tolerance)
    }
    let wanted = Set(report.loaded)
    try archive.checkValues(path: path, of: wanted)
    for (specification, target) in zip(specifications, state)
    where wanted.contains(specification.name) {
      guard let source = archive[specification.name] else { continue }
      let copy = try Tensor.copy(of: source)
      try withoutGradient { () throws(TorchError) in try target.copyInPlace(from: copy) }
    }
    return report
  }

  /// Copies of all tensors of the state dict, in its order.
  public func archive(metadata: [String: String] = [:]) throws -> TensorArchive {
    var archive = TensorArchive(metadata: metadata)
    for (specification, tensor) in zip(specifications, state) {
      archive[specification.name] = try ArchivedTensor(tensor)
    }
    return archive
  }

  private var classifierNames: Set<String> {
    guard let classifier = network.classifier else { return [] }
    return Set(specifications.filter { $0.node == classifier.index }.map(\.name))
  }

  private func isComplete(_ report: LoadReport, except names: Set<String>) -> Bool {
    report.missing.allSatisfy(names.contains) && report.unexpected.allSatisfy(names.contains)
      && report.mismatched.allSatisfy { names.contains($0.name) } && !report.loaded.isEmpty
  }
}

extension Tensor {
  /// A copy of an archived tensor, on the CPU.
  package static func copy(of archived: ArchivedTensor) throws -> Tensor {
    try archived.bytes.withUnsafeBytes { bytes in
      try Tensor(bytes: bytes, shape: archived.shape, dtype: DType(archived.elementType))
    }
  }
}

extension ArchivedTensor {
  /// A copy of a tensor from any device.
  package init(_ tensor: Tensor) throws {
    self.init(
      elementType: ElementType(tensor.dtype), shape: tensor.shape,
      bytes: ByteRegion(copyingMemoryOf: try tensor.bytes()))
  }
}

extension DType {
  /// The tensor type of a stored type.
  package init(_ type: ElementType) {
    self =
      switch type {
      case .float64: .float64
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .int64: .int64
      case .int32: .int32
      case .int16: .int16
      case .int8: .int8
      case .uint8: .uint8
      case .bool: .bool
      }
  }
}

extension ElementType {
  /// The stored type of a tensor type.
  package init(_ type: DType) {
    self =
      switch type {
      case .float64: .float64
      case .float32: .float32
      case .float16: .float16
      case .bfloat16: .bfloat16
      case .int64: .int64
      case .int32: .int32
      case .int16: .int16
      case .int8: .int8
      case .uint8: .uint8
      case .bool: .bool
      }
  }
}
