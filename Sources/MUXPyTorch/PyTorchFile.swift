// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXWeights

/// The weights of a PyTorch file (`.pth`, `.pth.tar`, `.pt`), read without running any code of it.
///
/// A checkpoint is a dictionary. Without a key the state dict is looked for under
/// ``averagedKeys`` and then ``stateDictionaryKeys``, in their order (averaged weights first, since
/// those are the ones that are evaluated), then at the top level. What is found may be a dictionary
/// without tensors that has such an entry in turn, as in `{"model": {"state_dict": …}}`; the key is
/// then `model.state_dict`.
public struct PyTorchFile: Sendable {
  /// The tensors of the state dict. The metadata has the checkpoint's plain values, such as `epoch`.
  public let archive: TensorArchive
  /// The key under which the state dict was found; nil if the file is a state dict itself.
  public let key: String?
  /// Entries of the state dict that are not tensors.
  public let ignored: [String]
  /// The other entries of the checkpoint, which were left out: other state dicts, the optimizer's
  /// state and whatever else is not a plain value.
  public let leftOut: [String]

  /// The keys of averaged weights that are tried, in order.
  public static let averagedKeys = [
    "state_dict_ema", "ema_state_dict", "model_ema_state_dict", "model_state_dict_ema",
    "model_ema", "ema_model", "params_ema", "averaged_model", "ema",
  ]

  /// The keys of other weights that are tried, in order.
  public static let stateDictionaryKeys = [
    "state_dict", "model_state_dict", "model_state", "model", "module", "net", "network",
    "backbone", "params", "weights",
  ]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - key: The key of the state dict, with dots between those of nested dictionaries; nil tries
  ///     ``averagedKeys`` and ``stateDictionaryKeys``.
  ///   - prefersAveraged: Whether averaged weights are tried first; they come last otherwise.
  ///
  /// The prefix `module.`, which data-parallel training adds, is removed if all names have it (but for
  /// the count `n_averaged` of an averaged model, which goes).
  public static func read(
    _ path: String, key: String? = nil, prefersAveraged: Bool = true
  ) throws(PyTorchFileError) -> PyTorchFile {
    let file: ByteRegion
    do { file = try ByteRegion(mapping: path) } catch {
      throw PyTorchFileError(path, nil, .file(error))
    }
    return try read(file, path: path, key: key, prefersAveraged: prefersAveraged)
  }

  /// Reads a file's bytes from memory; `path` is for messages.
  public static func read(
    _ file: ByteRegion, path: String, key: String? = nil, prefersAveraged: Bool = true
  ) throws(PyTorchFileError) -> PyTorchFile {
    let isZip = file.count >= 4 && file[0..<4].array == [0x50, 0x4b, 0x03, 0x04]
    let choice = StateDictionaryChoice(path: path, key: key, prefersAveraged: prefersAveraged)
    return isZip ? try readZip(file, choice) : try readLegacy(file, choice)
  }

  /// The format since PyTorch 1.6: a zip file with `data.pkl` and one entry for each storage.
  private static func readZip(
    _ file: ByteRegion, _ choice: StateDictionaryChoice
  ) throws(PyTorchFileError) -> PyTorchFile {
    let path = choice.path
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
        try choice.content(of: root)
      }
      var storages: [String: ByteRegion] = [:]
      var storageBytes = 0
      for (_, tensor) in content.tensors where storages[tensor.storage.key] == nil {
        let name = "\(folder)data/\(tensor.storage.key)"
        // Entries of a zip file do not overlap, so that their checksums take one pass over the file.
        storageBytes += zip.entries[name]?.size ?? 0
        guard storageBytes <= file.count else {
          throw ZipArchive.Failure("its entries overlap")
        }
        storages[tensor.storage.key] = try zip.bytes(of: name)
      }
      return try content.file(
        PyTorchTensors(path: path, storages: storages, fileSize: file.count))
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
    _ file: ByteRegion, _ choice: StateDictionaryChoice
  ) throws(PyTorchFileError) -> PyTorchFile {
    let path = choice.path
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
      try choice.content(of: root)
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
    return try content.file(
      PyTorchTensors(path: path, storages: regions, fileSize: file.count))
  }

  /// 0x1950a86a20f9469cfc6c, little-endian.
  private static let legacyMagic: [UInt8] = [
    0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19,
  ]
}
