// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The safetensors format: a length, a JSON header, and the tensors' bytes without gaps.
public enum Safetensors {
  /// The longest header that is read, as in the reference implementation.
  static let maximumHeaderLength = 100_000_000

  /// Opens a file. Its bytes are mapped, not read; every claim of the header is checked.
  public static func read(_ path: String) throws(SafetensorsError) -> TensorArchive {
    let file: ByteRegion
    do { file = try ByteRegion(mapping: path) } catch {
      throw SafetensorsError(path, nil, .file(error))
    }
    return try read(file, path: path)
  }

  /// Reads a file's bytes from memory; `path` is for messages.
  public static func read(
    _ file: ByteRegion, path: String
  ) throws(SafetensorsError) -> TensorArchive {
    guard file.count >= 8 else {
      throw SafetensorsError(path, nil, .tooShort(byteCount: file.count))
    }
    let claimed = file.withUnsafeBytes {
      UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
    }
    guard claimed <= UInt64(min(file.count - 8, maximumHeaderLength)) else {
      throw SafetensorsError(path, nil, .headerLength(claimed, available: file.count - 8))
    }
    let dataStart = 8 + Int(claimed)
    let header = try parse(file[8..<dataStart], path: path)
    return try archive(header, data: file[dataStart..<file.count], path: path)
  }

  private typealias Members = [(key: String, value: StrictJSON)]

  private static func parse(
    _ region: ByteRegion, path: String
  ) throws(SafetensorsError) -> Members {
    let outcome = region.withUnsafeBytes { bytes in
      Result { () throws(StrictJSON.Failure) in try StrictJSON.parse(bytes) }
    }
    switch outcome {
    case .failure(let failure):
      throw SafetensorsError(
        path, nil, .header("\(failure.reason) at byte \(failure.offset) of it"))
    case .success(.object(let members)): return members
    case .success: throw SafetensorsError(path, nil, .header("an object expected"))
    }
  }

  private struct Entry {
    let name: String
    let elementType: ElementType
    let shape: [Int]
    let bytes: Range<Int>
  }

  private static func archive(
    _ header: Members, data: ByteRegion, path: String
  ) throws(SafetensorsError) -> TensorArchive {
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for (key, value) in header {
      if key == "__metadata__" {
        metadata = try readMetadata(value, path: path)
      } else {
        entries.append(try entry(key, value, available: data.count, path: path))
      }
    }
    try checkCoverage(entries, available: data.count, path: path)
    var archive = TensorArchive(metadata: metadata)
    for entry in entries {
      archive[entry.name] = ArchivedTensor(
        elementType: entry.elementType, shape: entry.shape, bytes: data[entry.bytes])
    }
    return archive
  }

  private static func readMetadata(
    _ value: StrictJSON, path: String
  ) throws(SafetensorsError) -> [String: String] {
    guard case .object(let members) = value else {
      throw SafetensorsError(path, nil, .header("__metadata__ must be an object"))
    }
    var metadata: [String: String] = [:]
    for (key, value) in members {
      guard case .string(let text) = value else {
        throw SafetensorsError(path, nil, .header("__metadata__.\(key) must be a text"))
      }
      metadata[key] = text
    }
    return metadata
  }

  private static func entry(
    _ name: String, _ value: StrictJSON, available: Int, path: String
  ) throws(SafetensorsError) -> Entry {
    func fail(_ reason: SafetensorsFault) -> SafetensorsError {
      SafetensorsError(path, name, reason)
    }
    guard case .object(let members) = value else { throw fail(.header("an object expected")) }
    var typeName: String?
    var shape: [Int]?
    var offsets: [Int]?
    for (key, value) in members {
      switch (key, value) {
      case ("dtype", .string(let text)): typeName = text
      case ("shape", .array(let elements)): shape = nonNegativeIntegers(elements)
      case ("data_offsets", .array(let elements)): offsets = nonNegativeIntegers(elements)
      case ("dtype", _), ("shape", _), ("data_offsets", _): break
      default: throw fail(.header("unknown key “\(key)”"))
      }
    }
    guard let typeName else { throw fail(.header("dtype must be a text")) }
    guard let elementType = ElementType(rawValue: typeName) else {
      throw fail(.elementType(typeName))
    }
    guard let shape else {
      throw fail(.header("shape must be a list of integers that are not negative"))
    }
    guard let offsets, offsets.count == 2 else {
      throw fail(.header("data_offsets must be two integers that are not negative"))
    }
    guard offsets[0] <= offsets[1], offsets[1] <= available else {
      throw fail(.outOfBounds(begin: offsets[0], end: offsets[1], available: available))
    }
    guard let expected = elementType.byteCount(ofShape: shape) else { throw fail(.shape(shape)) }
    guard expected == offsets[1] - offsets[0] else {
      throw fail(.length(expected: expected, actual: offsets[1] - offsets[0]))
    }
    return Entry(
      name: name, elementType: elementType, shape: shape, bytes: offsets[0]..<offsets[1])
  }

  private static func nonNegativeIntegers(_ elements: [StrictJSON]) -> [Int]? {
    var result: [Int] = []
    for element in elements {
      guard case .integer(let value) = element, value >= 0 else { return nil }
      result.append(value)
    }
    return result
  }

  /// The format wants the tensors to cover the data exactly, so that nothing can hide in a file.
  private static func checkCoverage(
    _ entries: [Entry], available: Int, path: String
  ) throws(SafetensorsError) {
    // Empty tensors sort before the tensor that starts where they lie.
    let sorted = entries.sorted {
      ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
    }
    var end = 0
    var previous = ""
    for entry in sorted {
      if entry.bytes.lowerBound < end {
        throw SafetensorsError(path, entry.name, .overlap(with: previous))
      }
      if entry.bytes.lowerBound > end {
        throw SafetensorsError(path, entry.name, .gap(begin: end, end: entry.bytes.lowerBound))
      }
      end = entry.bytes.upperBound
      previous = entry.name
    }
    if end != available { throw SafetensorsError(path, nil, .gap(begin: end, end: available)) }
  }
}
