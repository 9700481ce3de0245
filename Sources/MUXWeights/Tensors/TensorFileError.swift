// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a file of tensors was refused: the file, the tensor if one is to blame, and what is wrong.
public struct TensorFileError<Fault: TensorFileFault>: Sendable, Equatable, DescribedError {
  /// The path of the file.
  public let path: String
  /// The tensor to blame, or nil.
  public let tensor: String?
  /// The fault in the file or in that tensor.
  public let reason: Fault

  package init(_ path: String, _ tensor: String? = nil, _ reason: Fault) {
    self.path = path
    self.tensor = tensor
    self.reason = reason
  }

  /// What went wrong, in one line.
  public var description: String {
    if let error = reason.fileError { return error.description }
    return (tensor.map { "\(path): tensor “\($0)”: " } ?? "\(path): ") + reason.text + Fault.hint
  }
}

/// What can be wrong with files of one format.
public protocol TensorFileFault: Sendable, Equatable {
  /// In words.
  var text: String { get }
  /// The system's error, where it refused to read or write; it names the file itself.
  var fileError: FileError? { get }
  /// What stands behind the words, whatever they are.
  static var hint: String { get }
}

extension TensorFileFault {
  /// No hint, unless a kind of fault has one.
  public static var hint: String { "" }
}
