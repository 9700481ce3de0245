// SPDX-License-Identifier: Apache-2.0
import Foundation
package import MUXCore
import MUXEvaluation

/// `state.json` of a checkpoint: the state, and what the other files must be.
struct Manifest: Codable {
  struct File: Codable, Hashable {
    var bytes: Int
    var checksum: String
  }

  var files: [String: File]
  var state: TrainingState

  static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return encoder
  }

  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }

  private struct Version: Codable {
    struct State: Codable { var version: Int }
    var state: State
  }

  /// More than a state of a million epochs takes.
  private static let mostBytes = 1 << 30

  init(files: [String: File], state: TrainingState) {
    self.files = files
    self.state = state
  }

  init(reading path: String, folder: String) throws {
    do {
      // Mapped: neither a pipe in its place nor an absurd size holds anything up.
      let region = try ByteRegion(mapping: path)
      guard region.count <= Self.mostBytes else {
        throw CheckpointError.damaged(
          path: folder,
          reason: "\(CheckpointStore.stateName) has \(region.count) bytes, more than any state")
      }
      let data = Data(region.array)
      let version = try Self.decoder.decode(Version.self, from: data).state.version
      guard version <= TrainingState.currentVersion else {
        throw CheckpointError.newer(
          path: folder, version: version, known: TrainingState.currentVersion)
      }
      self = try Self.decoder.decode(Manifest.self, from: data)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw CheckpointError.damaged(
        path: folder, reason: "\(CheckpointStore.stateName) cannot be read")
    }
  }
}

extension Manifest.File {
  /// The size and the checksum of a file as it lies on the disk.
  init(path: String) throws {
    self.init(try ByteRegion(mapping: path))
  }

  /// The size and the checksum of a file's bytes.
  init(_ region: ByteRegion) {
    self = region.withUnsafeBytes { bytes in
      Manifest.File(bytes: bytes.count, checksum: String(Self.hash(bytes), radix: 16))
    }
  }

  /// A 64-bit multiplicative hash over words (FNV-1a's rule on 8 bytes at a time): it need not
  /// resist an adversary, only notice a torn or rotten file.
  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var value: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ word: UInt64) {
      value = (value ^ word) &* 0x0000_0100_0000_01b3
      value ^= value >> 29
    }
    var offset = 0
    while offset + 8 <= bytes.count {
      mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      offset += 8
    }
    while offset < bytes.count {
      mix(UInt64(bytes[offset]))
      offset += 1
    }
    return value
  }
}

extension ByteRegion {
  /// A hash by which torn, rotten or replaced files are noticed.
  package var digest: String { Manifest.File(self).checksum }
}
