// SPDX-License-Identifier: Apache-2.0
import MUXInterchange
import SwiftProtobuf

/// A model as an ONNX file holds it.
public struct ONNXModel: Sendable {
  /// The message that the file is.
  package let message: Onnx_ModelProto

  /// The number of nodes.
  public var nodeCount: Int { message.graph.node.count }

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
