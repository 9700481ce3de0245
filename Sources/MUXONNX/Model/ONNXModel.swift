// SPDX-License-Identifier: Apache-2.0
import MUXCore
import SwiftProtobuf

/// A model as an ONNX file holds it.
public struct ONNXModel: Sendable {
  /// The message that the file is.
  package let message: Onnx_ModelProto

  package init(message: Onnx_ModelProto) {
    self.message = message
  }

  /// Reads a file, to look at it.
  ///
  /// - Throws: ``ONNXExportError/file(path:reason:)`` where it is no ONNX model.
  public init(contentsOf path: String) throws {
    let file = try ByteRegion(mapping: path)
    do {
      message = try Onnx_ModelProto(serializedBytes: file.array)
    } catch {
      throw ONNXExportError.file(path: path, reason: "it is not an ONNX model")
    }
    guard message.hasGraph else {
      throw ONNXExportError.file(path: path, reason: "it is not an ONNX model: it has no graph")
    }
  }

  /// The number of nodes.
  public var nodeCount: Int { message.graph.node.count }

  /// How often each operator occurs.
  public var operators: [String: Int] {
    message.graph.node.reduce(into: [:]) { $0[$1.opType, default: 0] += 1 }
  }

  /// What the file says about the model.
  public var metadata: [String: String] {
    Dictionary(message.metadataProps.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
  }

  /// The bytes of the file; the same model gives the same bytes.
  public func bytes() throws -> [UInt8] {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    return try message.serializedBytes(options: options)
  }

  /// Writes the file: to a temporary one first, then renamed.
  ///
  /// - Throws: `FileError` where the system refuses.
  public func write(to path: String) throws {
    try AtomicFile.write(bytes(), to: path)
  }
}
