// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXWeights

/// A weights file of any format that is understood, told apart by its first bytes.
public struct WeightsFile: Sendable {
  /// The formats that can be read.
  public enum Format: String, Sendable, Codable {
    /// Hugging Face's safetensors.
    case safetensors
    /// PyTorch's `torch.save`.
    case pyTorch = "pytorch"
  }

  /// The format that the file turned out to have.
  public let format: Format
  /// The tensors and the metadata.
  public let archive: TensorArchive
  /// The key of the state dict in a PyTorch checkpoint, if it was inside one.
  public let key: String?
  /// Entries of a PyTorch state dict that are not weights.
  public let ignored: [String]
  /// Other entries of a PyTorch checkpoint: other state dicts, an optimizer's state.
  public let leftOut: [String]

  /// What was chosen among several state dicts of a PyTorch checkpoint, for the user to know; nil where
  /// there was nothing to choose.
  public var remark: String? {
    let known = Set(PyTorchFile.averagedKeys + PyTorchFile.stateDictionaryKeys)
    let others = leftOut.filter(known.contains)
    guard let key, !others.isEmpty else { return nil }
    return "takes the weights under “\(key)”, not those under "
      + others.map { "“\($0)”" }.joined(separator: ", ")
  }

  /// Reads a weights file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - key: The key of the state dict in a PyTorch checkpoint; nil chooses as ``PyTorchFile`` does. Files
  ///     of other formats have no keys, and are refused with one.
  ///   - prefersAveraged: Whether averaged weights of a PyTorch checkpoint are tried first.
  public static func load(
    _ path: String, key: String? = nil, prefersAveraged: Bool = true
  ) throws -> WeightsFile {
    try load(
      ByteRegion(mapping: path), path: path, key: key, prefersAveraged: prefersAveraged)
  }

  /// Reads a weights file's bytes from memory; `path` is for messages.
  package static func load(
    _ file: ByteRegion, path: String, key: String? = nil, prefersAveraged: Bool = true
  ) throws -> WeightsFile {
    switch FileKind(file, path: path) {
    case .safetensors:
      if let key { throw WeightsFileError(path: path, key: key, kind: "a safetensors file") }
      let archive = try Safetensors.read(file, path: path)
      return WeightsFile(
        format: .safetensors, archive: archive, key: nil, ignored: [], leftOut: [])
    case .pyTorch:
      let content = try PyTorchFile.read(
        file, path: path, key: key, prefersAveraged: prefersAveraged)
      return WeightsFile(
        format: .pyTorch, archive: content.archive, key: content.key, ignored: content.ignored,
        leftOut: content.leftOut)
    case .other(let name, let remedy):
      throw WeightsFileError(path: path, format: name, remedy: remedy)
    }
  }
}

/// A file that is not of a format that can be read.
public struct WeightsFileError: Sendable, Equatable, DescribedError {
  /// The path of the file.
  public let path: String
  /// The format that it seems to have, or nil if it is not recognised.
  public let format: String?
  /// What can be done about it.
  public let remedy: String
  /// The key that was asked for, where the file can be read but has no keys.
  public let key: String?

  init(path: String, format: String?, remedy: String) {
    (self.path, self.format, self.remedy, key) = (path, format, remedy, nil)
  }

  /// A key was asked for of a file that has none, since it is no checkpoint of PyTorch.
  ///
  /// - Parameter kind: What the file is instead, with its article.
  package init(path: String, key: String, kind: String) {
    (self.path, format, self.key) = (path, kind, key)
    remedy = "leave the key out, or give the checkpoint that it belongs to"
  }

  /// What went wrong, in one line.
  public var description: String {
    if let key {
      return
        "\(path): the key “\(key)” is for a PyTorch checkpoint, and this is \(format ?? "none"), which"
        + " has no keys; \(remedy)"
    }
    let what = format.map { "\($0) is not supported for weights" } ?? "not a weights file"
    return "\(path): \(what); \(remedy)"
  }
}

private enum FileKind {
  case safetensors
  case pyTorch
  case other(name: String?, remedy: String)

  init(_ file: ByteRegion, path: String) {
    let start = file[0..<min(file.count, 512)].array
    func begins(_ text: String) -> Bool { start.starts(with: text.utf8) }
    let lowercased = path.lowercased()
    let convert = "convert it to safetensors in Python first"
    if start.isEmpty {
      self = .other(name: nil, remedy: "the file is empty")
    } else if begins("PK\u{3}\u{4}") {
      self =
        lowercased.hasSuffix(".npz") || lowercased.hasSuffix(".keras")
        ? .other(name: "NumPy's or Keras's zip format", remedy: convert) : .pyTorch
    } else if begins("GGUF") {
      self = .other(name: "GGUF", remedy: convert)
    } else if start.starts(with: [0x89] + Array("HDF\r\n".utf8)) {
      self = .other(name: "HDF5 (Keras)", remedy: convert)
    } else if start.count > 262, start[257..<262].elementsEqual("ustar".utf8) {
      self = .other(
        name: "PyTorch's tar format (before 0.1.10)",
        remedy: "load it in PyTorch and save it again with torch.save")
    } else if start.count > 8, start[8] == UInt8(ascii: "{") {
      self = .safetensors
    } else if start.starts(with: [0x80, 0x02, 0x8a, 0x0a]) || start[0] == 0x80 {
      self = .pyTorch
    } else if lowercased.hasSuffix(".safetensors") {
      self = .safetensors
    } else if lowercased.hasSuffix(".onnx") {
      self = .other(name: "ONNX", remedy: convert)
    } else if [".pb", ".ckpt", ".index", ".tflite", ".h5"].contains(where: lowercased.hasSuffix) {
      self = .other(name: "TensorFlow's format", remedy: convert)
    } else if [".pth", ".pt", ".pth.tar"].contains(where: lowercased.hasSuffix) {
      self = .other(name: nil, remedy: "it has a PyTorch name, but not PyTorch's content")
    } else {
      self = .other(name: nil, remedy: "give a .safetensors file or a PyTorch .pth file")
    }
  }
}
