// SPDX-License-Identifier: Apache-2.0

/// Named tensors with text metadata: what a weights file holds, whatever its format.
///
/// Names are kept exactly as they are in the file, and in its order.
public struct TensorArchive: Sendable {
  /// Free text beside the tensors.
  public var metadata: [String: String]
  /// The names of the tensors, in order.
  public private(set) var names: [String] = []
  private var tensors: [String: ArchivedTensor] = [:]

  /// An archive without tensors.
  public init(metadata: [String: String] = [:]) {
    self.metadata = metadata
  }

  /// The number of tensors, of any type.
  public var count: Int { names.count }

  /// The tensor of a name. Setting a new name appends it; setting nil removes the tensor.
  public subscript(name: String) -> ArchivedTensor? {
    get { tensors[name] }
    set {
      if let newValue {
        if tensors.updateValue(newValue, forKey: name) == nil { names.append(name) }
      } else if tensors.removeValue(forKey: name) != nil {
        names.removeAll { $0 == name }
      }
    }
  }

  /// The same tensors under other names; `rename` must not map two names to one.
  public func renamed(_ rename: (String) -> String) -> TensorArchive {
    var result = TensorArchive(metadata: metadata)
    for name in names {
      let newName = rename(name)
      precondition(result[newName] == nil, "two tensors would be named \(newName)")
      result[newName] = tensors[name]
    }
    return result
  }
}

extension TensorArchive: Sequence {
  /// Name and tensor of each entry, in order.
  public func makeIterator() -> AnyIterator<(name: String, tensor: ArchivedTensor)> {
    var index = names.startIndex
    return AnyIterator {
      while index < names.endIndex {
        let name = names[index]
        index += 1
        if let tensor = tensors[name] { return (name, tensor) }
      }
      return nil
    }
  }
}
