// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTasks
import MUXVision

/// Processes that evaluate together, seen from one of them.
package protocol EvaluationPartners {
  /// The number of this process, from 0.
  var rank: Int { get }
  var count: Int { get }

  /// What all of them give, in their order; all call it equally often.
  func gather(_ bytes: [UInt8]) throws -> [[UInt8]]
}

extension EvaluationPartners {
  /// The answers to the batches of a round, in the order of the batches.
  func gathered(_ own: BatchAnswers?) throws -> [BatchAnswers] {
    try gather(try own?.bytes() ?? []).filter { !$0.isEmpty }.map { try BatchAnswers($0) }
  }
}

/// What a network says of a batch, and what is true of it.
struct BatchAnswers {
  var outputs: [OutputTensor]
  var targets: [Target]
  var originalSizes: [ImageSize]
  var samples: [Int]

  init(_ outputs: [OutputTensor], _ batch: Batch) {
    self.outputs = outputs
    targets = batch.targets
    originalSizes = batch.originalSizes
    samples = batch.place.samples
  }

  /// All but the values of the outputs.
  private struct Header: Codable {
    var names: [String]
    var shapes: [[Int]]
    var targets: [Target]
    var originalSizes: [ImageSize]
    var samples: [Int]
  }

  /// As other processes of the same program read them: the length of a header in JSON, the header, the
  /// values.
  func bytes() throws -> [UInt8] {
    let header = try JSONEncoder().encode(
      Header(
        names: outputs.map(\.name), shapes: outputs.map(\.shape), targets: targets,
        originalSizes: originalSizes, samples: samples))
    var bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
    bytes += header
    for output in outputs { output.values.withUnsafeBytes { bytes += $0 } }
    return bytes
  }

  init(_ bytes: [UInt8]) throws {
    let length = bytes.withUnsafeBytes {
      Int(UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)))
    }
    let header = try JSONDecoder().decode(Header.self, from: Data(bytes[8..<8 + length]))
    var start = 8 + length
    outputs = zip(header.names, header.shapes).map { name, shape in
      let count = shape.reduce(1, *)
      let values = [Float](unsafeUninitializedCapacity: count) { buffer, used in
        bytes[start..<start + 4 * count].withUnsafeBytes {
          UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0)
        }
        used = count
      }
      start += 4 * count
      return OutputTensor(name: name, shape: shape, values: values)
    }
    targets = header.targets
    originalSizes = header.originalSizes
    samples = header.samples
  }
}
