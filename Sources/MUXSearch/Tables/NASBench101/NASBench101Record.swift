// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One training of one cell, as the published record files hold it.
package struct NASBench101Record: Sendable, Hashable {
  /// The state of a training at one moment.
  package struct Evaluation: Sendable, Hashable {
    package var epoch = 0.0
    /// The time of training so far, in seconds.
    package var trainingTime = 0.0
    /// Accuracy on 10,000 training images, 0 to 1.
    package var trainAccuracy = 0.0
    /// Accuracy on 10,000 held-out images, 0 to 1.
    package var validationAccuracy = 0.0
    /// Accuracy on the test images, 0 to 1.
    package var testAccuracy = 0.0
  }

  /// The fingerprint of the cell.
  package var hash: String
  /// The epochs of the whole training: 4, 12, 36 or 108.
  package var epochs: Int
  package var cell: NASBench101Cell
  /// Learnable scalars of the network.
  package var parameters: Int
  /// At the start, half-way, and at the end.
  package var evaluations: [Evaluation]

  /// The bytes of one record: a JSON array of fingerprint, epochs, matrix as digits, labels joined by
  /// commas, and metrics as a protocol-buffer message in base 64.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``; `place` names the record in it.
  init(_ bytes: ArraySlice<UInt8>, place: String) throws(SearchError) {
    func damaged(_ reason: String) -> SearchError { .table(path: place, reason: reason) }
    let array = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [Any]
    guard let array, array.count == 5, let hash = array[0] as? String,
      let epochs = (array[1] as? NSNumber)?.intValue, let digits = array[2] as? String,
      let labels = array[3] as? String, let metrics = array[4] as? String,
      let message = Data(base64Encoded: metrics.filter { !$0.isWhitespace })
    else { throw damaged("is not a NAS-Bench-101 record") }
    let side = Int(Double(digits.utf8.count).squareRoot())
    guard side * side == digits.utf8.count, digits.utf8.allSatisfy({ $0 == 48 || $0 == 49 }) else {
      throw damaged("its matrix is not a square of digits 0 and 1")
    }
    let entries = digits.utf8.map { Int($0) - 48 }
    self.hash = hash
    self.epochs = epochs
    do {
      cell = try NASBench101Cell(
        matrix: (0..<side).map { Array(entries[$0 * side..<($0 + 1) * side]) },
        labels: labels.split(separator: ",").map(String.init))
    } catch {
      throw damaged("its cell is not valid: \(error)")
    }
    parameters = 0
    evaluations = []
    var reader = ProtocolBufferReader([UInt8](message)[...])
    while let field = reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let bytes)):
        guard let evaluation = Evaluation(bytes) else { throw damaged("its metrics are cut off") }
        evaluations.append(evaluation)
      case (2, .integer(let count)): parameters = Int(truncatingIfNeeded: count)
      default: break
      }
    }
    guard !reader.isDamaged, evaluations.count == 3 else {
      throw damaged("its metrics are not those of start, half and end of a training")
    }
  }
}

extension NASBench101Record.Evaluation {
  fileprivate init?(_ bytes: ArraySlice<UInt8>) {
    var reader = ProtocolBufferReader(bytes)
    while let field = reader.next() {
      guard case .double(let value) = field.value else { continue }
      switch field.number {
      case 1: epoch = value
      case 2: trainingTime = value
      case 3: trainAccuracy = value
      case 4: validationAccuracy = value
      case 5: testAccuracy = value
      default: break
      }
    }
    if reader.isDamaged { return nil }
  }
}

/// Reads the fields of a protocol-buffer message.
private struct ProtocolBufferReader {
  enum Value {
    case integer(UInt64)
    case double(Double)
    case bytes(ArraySlice<UInt8>)
    case other
  }

  private var rest: ArraySlice<UInt8>
  private(set) var isDamaged = false

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// The next field, nil at the end and where the message is damaged.
  mutating func next() -> (number: Int, value: Value)? {
    guard !rest.isEmpty, !isDamaged else { return nil }
    guard let tag = integer() else { return nil }
    let number = Int(truncatingIfNeeded: tag >> 3)
    switch tag & 7 {
    case 0: return integer().map { (number, .integer($0)) }
    case 1:
      return take(8).map { bytes in
        let bits = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return (number, .double(Double(bitPattern: bits)))
      }
    case 2:
      guard let length = integer() else { return nil }
      return take(Int(clamping: length)).map { (number, .bytes($0)) }
    case 5: return take(4).map { _ in (number, .other) }
    default:
      isDamaged = true
      return nil
    }
  }

  private mutating func integer() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = rest.popFirst() else { break }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    isDamaged = true
    return nil
  }

  private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard rest.count >= count else {
      isDamaged = true
      return nil
    }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }
}
