// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The weights of a PyTorch file (`.pth`, `.pth.tar`, `.pt`), read without running any code of it.
///
/// A checkpoint is a dictionary. Without a key the state dict is looked for under
/// `state_dict_ema`, `state_dict`, `model_ema`, `model` and `net` in this order (averaged weights
/// first, since those are the ones that are evaluated), then at the top level.
public struct PyTorchFile: Sendable {
  /// The tensors of the state dict. The metadata has the checkpoint's plain values, such as `epoch`.
  public let archive: TensorArchive
  /// The key under which the state dict was found; nil if the file is a state dict itself.
  public let key: String?
  /// Entries of the state dict that are not tensors.
  public let ignored: [String]

  /// The keys that are tried, in order.
  public static let stateDictionaryKeys = [
    "state_dict_ema", "state_dict", "model_ema", "model", "net",
  ]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - key: The key of the state dict; nil tries ``stateDictionaryKeys``.
  ///
  /// The prefix `module.`, which data-parallel training adds, is removed if all names have it.
  public static func read(
    _ path: String, key: String? = nil
  ) throws(PyTorchFileError) -> PyTorchFile {
    let file: ByteRegion
    do { file = try ByteRegion(mapping: path) } catch {
      throw PyTorchFileError(path, nil, .file(error))
    }
    return try read(file, path: path, key: key)
  }

  /// Reads a file's bytes from memory; `path` is for messages.
  public static func read(
    _ file: ByteRegion, path: String, key: String? = nil
  ) throws(PyTorchFileError) -> PyTorchFile {
    let isZip = file.count >= 4 && file[0..<4].array == [0x50, 0x4b, 0x03, 0x04]
    return isZip
      ? try readZip(file, path: path, key: key)
      : try readLegacy(file, path: path, key: key)
  }

  /// The format since PyTorch 1.6: a zip file with `data.pkl` and one entry for each storage.
  private static func readZip(
    _ file: ByteRegion, path: String, key: String?
  ) throws(PyTorchFileError) -> PyTorchFile {
    do {
      let zip = try ZipArchive(file)
      guard let pickle = zip.entries.keys.first(where: { isPickleName($0) }) else {
        throw ZipArchive.Failure("no data.pkl in it")
      }
      let folder = pickle.dropLast("data.pkl".count)
      if zip.entries.keys.contains(where: { $0.hasPrefix("\(folder)code/") }) {
        throw PyTorchFileError(
          path, nil,
          .unsupported(
            "a TorchScript program, not a file of weights; save the state dict: "
              + "torch.save(torch.jit.load(file).state_dict(), …)"))
      }
      if zip.entries["\(folder)byteorder"] != nil,
        try zip.bytes(of: "\(folder)byteorder").array != [UInt8]("little".utf8)
      {
        throw ZipArchive.Failure("its byte order is not little-endian")
      }
      let data = try zip.bytes(of: pickle)
      var interpreter = PickleInterpreter(data, path: path)
      let content = try interpreter.run { (root) throws(PyTorchFileError) in
        try Content(root, path: path, key: key)
      }
      var storages: [String: ByteRegion] = [:]
      for (_, tensor) in content.tensors where storages[tensor.storage.key] == nil {
        storages[tensor.storage.key] = try zip.bytes(of: "\(folder)data/\(tensor.storage.key)")
      }
      return try content.file(PyTorchTensors(path: path, storages: storages))
    } catch let error as PyTorchFileError {
      throw error
    } catch let error as ZipArchive.Failure {
      throw PyTorchFileError(path, nil, .container(error.reason))
    } catch {
      throw PyTorchFileError(path, nil, .container("\(error)"))
    }
  }

  private static func isPickleName(_ name: String) -> Bool {
    name == "data.pkl" || (name.hasSuffix("/data.pkl") && name.count { $0 == "/" } == 1)
  }

  /// The format before PyTorch 1.6: five pickles, then the storages, each with its element count.
  private static func readLegacy(
    _ file: ByteRegion, path: String, key: String?
  ) throws(PyTorchFileError) -> PyTorchFile {
    func value<Result>(
      _ offset: inout Int, _ body: (PickleValue) throws(PyTorchFileError) -> Result
    ) throws(PyTorchFileError) -> (Result, [String: PickleStorage]) {
      var interpreter = PickleInterpreter(file, offset: offset, path: path)
      let result = try interpreter.run(body)
      offset = interpreter.offset
      return (result, interpreter.storages)
    }
    var offset = 0
    let (isLegacy, _) = try value(&offset) { (root) throws(PyTorchFileError) in
      if case .bigInteger(let bytes) = root { return bytes == legacyMagic }
      return false
    }
    guard isLegacy else {
      throw PyTorchFileError(path, nil, .container("it is a pickle, but not one of PyTorch"))
    }
    let (version, _) = try value(&offset) { (root) throws(PyTorchFileError) in root.integer }
    guard version == 1001 else {
      throw PyTorchFileError(path, nil, .container("unknown version of the format"))
    }
    _ = try value(&offset) { (root) throws(PyTorchFileError) in () }
    let (content, storages) = try value(&offset) { (root) throws(PyTorchFileError) in
      try Content(root, path: path, key: key)
    }
    let (keys, _) = try value(&offset) { (root) throws(PyTorchFileError) -> [String] in
      guard case .list(let list) = root else { return [] }
      return list.items.compactMap(\.string)
    }
    var reader = ByteReader(file, offset: offset)
    var regions: [String: ByteRegion] = [:]
    for key in keys {
      guard let storage = storages[key], let count = reader.integer(Int64.self),
        count == storage.count, let size = storage.elementType.byteCount(ofShape: [Int(count)]),
        let region = reader.region(size)
      else { throw PyTorchFileError(path, nil, .container("the storage “\(key)” is cut off")) }
      regions[key] = region
    }
    return try content.file(PyTorchTensors(path: path, storages: regions))
  }

  /// 0x1950a86a20f9469cfc6c, little-endian.
  private static let legacyMagic: [UInt8] = [
    0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
  ]
}

/// What is wanted from the object in the file, as plain values.
private struct Content {
  let path: String
  let key: String?
  let tensors: [(name: String, tensor: PickleTensor)]
  let ignored: [String]
  let metadata: [String: String]

  init(_ root: PickleValue, path: String, key: String?) throws(PyTorchFileError) {
    self.path = path
    guard case .dictionary(let top) = root else {
      throw PyTorchFileError(path, nil, .noStateDictionary(asked: key, found: []))
    }
    let entries = top.entries
    var found: (key: String?, state: PickleContainer)?
    for candidate in key.map({ [$0] }) ?? PyTorchFile.stateDictionaryKeys {
      if case .dictionary(let state)? = entries.last(where: { $0.key == candidate })?.value,
        Self.hasTensors(state)
      {
        found = (candidate, state)
        break
      }
    }
    if found == nil, key == nil, Self.hasTensors(top) { found = (nil, top) }
    guard let found else {
      throw PyTorchFileError(
        path, nil, .noStateDictionary(asked: key, found: entries.map(\.key)))
    }
    self.key = found.key
    var tensors: [(name: String, tensor: PickleTensor)] = []
    var ignored: [String] = []
    for (name, value) in found.state.entries {
      if case .tensor(let tensor) = value {
        tensors.append((name, tensor))
      } else {
        ignored.append(name)
      }
    }
    if tensors.allSatisfy({ $0.name.hasPrefix("module.") }) {
      tensors = tensors.map { (String($0.name.dropFirst("module.".count)), $0.tensor) }
    }
    self.tensors = tensors
    self.ignored = ignored
    metadata = found.key == nil ? [:] : Self.plainValues(entries)
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

  func file(_ source: PyTorchTensors) throws(PyTorchFileError) -> PyTorchFile {
    var archive = TensorArchive(metadata: metadata)
    for (name, tensor) in tensors {
      archive[name] = try source.archived(tensor, name: name)
    }
    return PyTorchFile(archive: archive, key: key, ignored: ignored)
  }
}
