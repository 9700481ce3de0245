// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXWeights

/// Why a PyTorch file was refused.
public typealias PyTorchFileError = TensorFileError<PyTorchFileFault>

/// What can be wrong with a PyTorch file.
public enum PyTorchFileFault: TensorFileFault {
  /// The system refused to read or write.
  case file(FileError)
  /// The zip container is damaged or uses a feature that PyTorch does not write.
  case container(String)
  /// The pickle asks for a function or class that is not on the short list of harmless ones.
  case forbiddenGlobal(String)
  /// The pickle calls something that is not callable here.
  case forbiddenCall(String)
  /// The pickle is damaged, too large, or uses an instruction that PyTorch does not write.
  case pickle(String, offset: Int)
  /// The tensor's description does not fit its storage.
  case tensor(String)
  /// There is no state dict under the key that was asked for, or none at all.
  case noStateDictionary(asked: String?, found: [String])
  /// A format of PyTorch that holds a program, or is too old.
  case unsupported(String)

  /// In words.
  public var text: String {
    switch self {
    case .file(let error): return error.description
    case .container(let what): return "not a sound PyTorch file: \(what)"
    case .forbiddenGlobal(let name):
      return "refuses to run “\(name)”, which this file asks for; only plain tensors are read, so "
        + "save the state dict alone: torch.save(model.state_dict(), …)"
    case .forbiddenCall(let name):
      return "refuses to call “\(name)”; only plain tensors are read"
    case .pickle(let what, let offset):
      return "not a sound PyTorch file: \(what) at byte \(offset) of the pickle"
    case .tensor(let what): return what
    case .noStateDictionary(let asked, let found):
      let keys = found.isEmpty ? "none" : found.prefix(12).joined(separator: ", ")
      if let asked { return "no state dict under the key “\(asked)”; keys in the file: \(keys)" }
      return "no state dict in it; keys in the file: \(keys); name one with the key option"
    case .unsupported(let what): return what
    }
  }

  /// The system's error, if it is one.
  public var fileError: FileError? { if case .file(let error) = self { error } else { nil } }
}
