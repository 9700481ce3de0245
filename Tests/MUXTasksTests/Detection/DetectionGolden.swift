// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTasks
import MUXTestSupport
import MUXWeights

/// Boxes, losses and scores that were computed with other programs.
enum Golden {
  static func has(_ name: String) -> Bool { Shared.has("reference/tasks/\(name)") }

  static func json<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    let data = try Data(contentsOf: URL(filePath: Shared.path("reference/tasks/\(name)")))
    return try JSONDecoder().decode(type, from: data)
  }

  static func tensors(_ name: String) throws -> TensorArchive {
    try Safetensors.read(Shared.path("reference/tasks/\(name)"))
  }
}

extension BoundingBox {
  init(_ edges: [Double]) {
    self.init(left: edges[0], top: edges[1], right: edges[2], bottom: edges[3])
  }

  init(_ edges: some RandomAccessCollection<Float>) { self.init(edges.map(Double.init)) }

  var edges: [Double] { [left, top, right, bottom] }
}

/// Two numbers that are equal but for the rounding of single precision.
func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-5) -> Bool {
  a == b || abs(a - b) <= tolerance * max(1, abs(a), abs(b))
}

/// SHA-256 (FIPS 180-4).
func sha256(_ bytes: [UInt8]) -> String {
  func fraction(_ value: Double) -> UInt32 { UInt32((value - value.rounded(.down)) * 0x1p32) }
  var primes: [Int] = []
  var number = 2
  while primes.count < 64 {
    if primes.allSatisfy({ number % $0 != 0 }) { primes.append(number) }
    number += 1
  }
  let constants = primes.map { fraction(cbrt(Double($0))) }
  var hash = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
  var message = bytes + [0x80]
  while message.count % 64 != 56 { message.append(0) }
  withUnsafeBytes(of: UInt64(bytes.count * 8).bigEndian) { message += $0 }
  func turned(_ value: UInt32, _ bits: UInt32) -> UInt32 { value >> bits | value << (32 - bits) }
  for block in stride(from: 0, to: message.count, by: 64) {
    var words = (0..<16).map { word in
      (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(message[block + 4 * word + $1]) }
    }
    for t in 16..<64 {
      let (a, b) = (words[t - 15], words[t - 2])
      let first = turned(a, 7) ^ turned(a, 18) ^ a >> 3
      let second = turned(b, 17) ^ turned(b, 19) ^ b >> 10
      words.append(words[t - 16] &+ first &+ words[t - 7] &+ second)
    }
    var v = hash
    for t in 0..<64 {
      let mixed = turned(v[4], 6) ^ turned(v[4], 11) ^ turned(v[4], 25)
      let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
      let one = v[7] &+ mixed &+ choice &+ constants[t] &+ words[t]
      let other = turned(v[0], 2) ^ turned(v[0], 13) ^ turned(v[0], 22)
      let majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2])
      v = [one &+ other &+ majority, v[0], v[1], v[2], v[3] &+ one, v[4], v[5], v[6]]
    }
    for index in 0..<8 { hash[index] &+= v[index] }
  }
  return hash.map { String($0, radix: 16) }.map { String(repeating: "0", count: 8 - $0.count) + $0 }
    .joined()
}
