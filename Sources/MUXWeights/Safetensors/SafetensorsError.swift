// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a safetensors file was refused.
public typealias SafetensorsError = TensorFileError<SafetensorsFault>

/// What can be wrong with a safetensors file.
public enum SafetensorsFault: TensorFileFault {
  /// The system refused to read or write.
  case file(FileError)
  /// The file is too short to hold a header.
  case tooShort(byteCount: Int)
  /// The header length is more than the file holds, or more than a header may have.
  case headerLength(UInt64, available: Int)
  /// The header is not the JSON object that the format asks for.
  case header(String)
  /// A type of element that this package does not know.
  case elementType(String)
  /// The shape's size does not fit in 64 bits.
  case shape([Int])
  /// The tensor's bytes are not inside the file's data.
  case outOfBounds(begin: Int, end: Int, available: Int)
  /// The tensor begins before its predecessor ends.
  case overlap(with: String)
  /// Bytes before the tensor, or at the end, that belong to no tensor.
  case gap(begin: Int, end: Int)
  /// The byte count is not that of element type and shape.
  case length(expected: Int, actual: Int)
  /// The name cannot be written: `__metadata__` is taken by the format.
  case reservedName

  /// In words.
  public var text: String {
    switch self {
    case .file(let error): error.description
    case .tooShort(let count): "\(count) bytes are too few for a header"
    case .headerLength(let length, let available):
      "the header claims \(length) bytes, but \(available) are there, and at most "
        + "\(Safetensors.maximumHeaderLength) are allowed"
    case .header(let what): "the header is not valid: \(what)"
    case .elementType(let name):
      "unknown element type “\(name)”; known are "
        + ElementType.allCases.map(\.rawValue).joined(separator: ", ")
    case .shape(let shape): "the size of shape \(shape) does not fit in 64 bits"
    case .outOfBounds(let begin, let end, let available):
      "bytes \(begin)..<\(end) lie outside the data, which has \(available) bytes"
    case .overlap(let other): "its bytes overlap those of “\(other)”"
    case .gap(let begin, let end): "bytes \(begin)..<\(end) belong to no tensor"
    case .length(let expected, let actual):
      "type and shape need \(expected) bytes, but \(actual) are given"
    case .reservedName: "the format does not allow this name"
    }
  }

  /// The system's error, if it is one.
  public var fileError: FileError? { if case .file(let error) = self { error } else { nil } }

  /// What to look at, whatever it was.
  public static var hint: String { " (is the file complete and in safetensors format?)" }
}
