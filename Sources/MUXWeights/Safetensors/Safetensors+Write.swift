// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension Safetensors {
  /// Writes a file: to a temporary one first, synced, then renamed over `path`.
  ///
  /// The header is padded so that the data starts at a multiple of 8 bytes, and the tensors are
  /// ordered by element size, largest first, so that each lies aligned without forbidden gaps.
  /// Among equals the archive's order is kept; names are written exactly.
  public static func write(_ archive: TensorArchive, to path: String) throws(SafetensorsError) {
    let header = try header(archive, path: path)
    do {
      var file = try AtomicFile(path: path)
      try file.write(header)
      for name in orderedNames(archive) {
        if let tensor = archive[name] { try file.write(tensor.bytes) }
      }
      try file.commit()
    } catch {
      throw SafetensorsError(path, nil, .file(error))
    }
  }

  /// The file's bytes, for sending it elsewhere than to a file.
  public static func bytes(of archive: TensorArchive) throws(SafetensorsError) -> [UInt8] {
    var bytes = try header(archive, path: "memory")
    for name in orderedNames(archive) {
      archive[name]?.bytes.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }
    return bytes
  }

  private static func orderedNames(_ archive: TensorArchive) -> [String] {
    let sizes = archive.names.map { archive[$0]?.elementType.byteCount ?? 0 }
    return archive.names.indices
      .sorted { (-sizes[$0], $0) < (-sizes[$1], $1) }
      .map { archive.names[$0] }
  }

  private static func header(
    _ archive: TensorArchive, path: String
  ) throws(SafetensorsError) -> [UInt8] {
    var members: [String] = []
    if !archive.metadata.isEmpty {
      let pairs = archive.metadata.sorted { $0.key < $1.key }
        .map { "\(StrictJSON.quoted($0.key)):\(StrictJSON.quoted($0.value))" }
      members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
    }
    var offset = 0
    for name in orderedNames(archive) {
      guard name != "__metadata__" else { throw SafetensorsError(path, name, .reservedName) }
      guard let tensor = archive[name] else { continue }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + tensor.bytes.count
      members.append(
        "\(StrictJSON.quoted(name)):{\"dtype\":\"\(tensor.elementType.rawValue)\","
          + "\"shape\":[\(shape)],\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var text = [UInt8]("{\(members.joined(separator: ","))}".utf8)
    while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { [UInt8]($0) } + text
  }
}
