// SPDX-License-Identifier: Apache-2.0
import MUXWeights

/// Which of a checkpoint's dictionaries is taken for the weights.
struct StateDictionaryChoice {
  let path: String
  /// The key that was asked for; nil chooses.
  let key: String?
  let prefersAveraged: Bool

  /// How deep dictionaries without tensors are looked into.
  private static let maximumDepth = 3

  private var candidates: [String] {
    prefersAveraged
      ? PyTorchFile.averagedKeys + PyTorchFile.stateDictionaryKeys
      : PyTorchFile.stateDictionaryKeys + PyTorchFile.averagedKeys
  }

  /// What is wanted from the object in the file.
  func content(of root: PickleValue) throws(PyTorchFileError) -> PyTorchContent {
    guard case .dictionary(let top) = root else {
      throw PyTorchFileError(path, nil, .noStateDictionary(asked: key, found: []))
    }
    let entries = top.entries
    guard let found = key.map({ named($0, in: top) }) ?? searched(top) else {
      throw PyTorchFileError(
        path, nil, .noStateDictionary(asked: key, found: entries.map(\.key)))
    }
    var tensors: [(name: String, tensor: PickleTensor)] = []
    var ignored: [String] = []
    for (name, value) in found.state.entries {
      if case .tensor(let tensor) = value {
        tensors.append((name, tensor))
      } else {
        ignored.append(name)
      }
    }
    // `n_averaged` counts what went into an average (torch.optim.swa_utils) and is no weight.
    if let counter = tensors.firstIndex(where: { $0.name == "n_averaged" }), tensors.count > 1 {
      tensors.remove(at: counter)
      ignored.append("n_averaged")
    }
    let front = WeightNames.sharedModules(tensors.map(\.name))
    if front > 0 { tensors = tensors.map { (WeightNames.dropping(front, $0.name), $0.tensor) } }
    guard let foundKey = found.key else {
      return PyTorchContent(
        path: path, key: nil, tensors: tensors, ignored: ignored, leftOut: [], metadata: [:])
    }
    let metadata = Self.plainValues(entries)
    let first = foundKey.split(separator: ".").first.map(String.init)
    return PyTorchContent(
      path: path, key: foundKey, tensors: tensors, ignored: ignored,
      leftOut: entries.map(\.key).filter {
        $0 != foundKey && $0 != first && metadata[$0] == nil
      },
      metadata: metadata)
  }

  private typealias Found = (key: String?, state: PickleContainer)

  /// The dictionary under a key; where there is none of that name, under the names between its dots.
  private func named(_ key: String, in container: PickleContainer) -> Found? {
    var current = container
    var rest = key[...]
    while true {
      let entries = current.entries
      if case .dictionary(let state)? = entries.last(where: { $0.key == rest })?.value {
        if Self.hasTensors(state) { return (key, state) }
        var seen: Set<ObjectIdentifier> = []
        return search(state, prefix: "\(key).", depth: 0, &seen)
      }
      guard let dot = rest.firstIndex(of: "."),
        case .dictionary(let next)? = entries.last(where: { $0.key == rest[..<dot] })?.value
      else { return nil }
      current = next
      rest = rest[rest.index(after: dot)...]
    }
  }

  /// The first dictionary with tensors under the known keys, else the top one.
  private func searched(_ top: PickleContainer) -> Found? {
    // A dictionary may be reached in several ways, or hold itself; it is looked at once.
    var seen: Set<ObjectIdentifier> = []
    return search(top, prefix: "", depth: 0, &seen) ?? (Self.hasTensors(top) ? (nil, top) : nil)
  }

  private func search(
    _ container: PickleContainer, prefix: String, depth: Int, _ seen: inout Set<ObjectIdentifier>
  ) -> Found? {
    guard depth < Self.maximumDepth, seen.insert(ObjectIdentifier(container)).inserted else {
      return nil
    }
    let entries = Dictionary(container.entries.map { ($0.key, $0.value) }) { $1 }
    for candidate in candidates {
      guard case .dictionary(let state)? = entries[candidate] else { continue }
      if Self.hasTensors(state) { return (prefix + candidate, state) }
      if let inner = search(state, prefix: "\(prefix)\(candidate).", depth: depth + 1, &seen) {
        return inner
      }
    }
    return nil
  }

  private static func hasTensors(_ container: PickleContainer) -> Bool {
    container.entries.contains { if case .tensor = $0.value { true } else { false } }
  }

  private static func plainValues(
    _ entries: [(key: String, value: PickleValue)]
  ) -> [String: String] {
    var result: [String: String] = [:]
    for (key, value) in entries {
      switch value {
      case .string(let text): result[key] = text
      case .integer(let number): result[key] = "\(number)"
      case .float(let number): result[key] = "\(number)"
      case .boolean(let flag): result[key] = "\(flag)"
      default: break
      }
    }
    return result
  }
}

/// What is wanted from the object in the file, as plain values.
struct PyTorchContent {
  let path: String
  let key: String?
  let tensors: [(name: String, tensor: PickleTensor)]
  let ignored: [String]
  let leftOut: [String]
  let metadata: [String: String]

  /// The tensors over the bytes of their storages.
  func file(_ source: PyTorchTensors) throws(PyTorchFileError) -> PyTorchFile {
    var source = source
    var archive = TensorArchive(metadata: metadata)
    for (name, tensor) in tensors {
      archive[name] = try source.archived(tensor, name: name)
    }
    return PyTorchFile(archive: archive, key: key, ignored: ignored, leftOut: leftOut)
  }
}
