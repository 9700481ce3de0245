// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Encodes TensorBoard's records: an `Event` message in protocol buffer format, framed with its
/// length and two masked checksums. Only the fields that are written here are known.
enum EventEncoder {
  /// The first record of every file.
  static func fileVersion(wallTime: Double) -> [UInt8] {
    var event = ProtocolBuffer()
    event.double(1, wallTime)
    event.text(3, "brain.Event:2")
    return record(event.bytes)
  }

  /// Scalars of one step; the values in the order given.
  static func scalars(
    _ values: [(tag: String, value: Double)], step: Int, wallTime: Double
  ) -> [UInt8] {
    var summary = ProtocolBuffer()
    for (tag, value) in values {
      var entry = ProtocolBuffer()
      entry.text(1, tag)
      entry.float(2, Float(value))
      summary.message(1, entry)
    }
    var event = ProtocolBuffer()
    event.double(1, wallTime)
    event.integer(2, Int64(step))
    event.message(5, summary)
    return record(event.bytes)
  }

  /// The mark of a resumed run: TensorBoard forgets what it has seen from this step on.
  static func sessionStart(step: Int, wallTime: Double) -> [UInt8] {
    var log = ProtocolBuffer()
    log.integer(1, 1)
    var event = ProtocolBuffer()
    event.double(1, wallTime)
    event.integer(2, Int64(step))
    event.message(7, log)
    return record(event.bytes)
  }

  /// Length, its checksum, the data, their checksum.
  static func record(_ data: [UInt8]) -> [UInt8] {
    var record: [UInt8] = []
    record.append(littleEndian: UInt64(data.count))
    record.append(littleEndian: maskedChecksum(record))
    record += data
    record.append(littleEndian: maskedChecksum(data))
    return record
  }

  /// The checksum, rotated and shifted so that checksums of checksums stay useful.
  static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let checksum = bytes.withUnsafeBytes { CyclicRedundancyCheck.castagnoli.checksum($0) }
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }
}

/// The wire format of protocol buffers, for the field types that events have.
private struct ProtocolBuffer {
  private(set) var bytes: [UInt8] = []

  mutating func double(_ field: Int, _ value: Double) {
    variable(UInt64(field) << 3 | 1)
    bytes.append(littleEndian: value.bitPattern)
  }

  mutating func float(_ field: Int, _ value: Float) {
    variable(UInt64(field) << 3 | 5)
    bytes.append(littleEndian: value.bitPattern)
  }

  mutating func integer(_ field: Int, _ value: Int64) {
    variable(UInt64(field) << 3)
    variable(UInt64(bitPattern: value))
  }

  mutating func text(_ field: Int, _ value: String) { data(field, [UInt8](value.utf8)) }

  mutating func message(_ field: Int, _ value: ProtocolBuffer) { data(field, value.bytes) }

  private mutating func data(_ field: Int, _ value: [UInt8]) {
    variable(UInt64(field) << 3 | 2)
    variable(UInt64(value.count))
    bytes += value
  }

  private mutating func variable(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
