// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension NASBench101Cell {
  /// The published fingerprint: 32 hexadecimal digits, equal for isomorphic cells. The key of the
  /// benchmark's records. Take it of a pruned cell.
  ///
  /// It is MD5 over the text forms that Python gives: `(out-degree, in-degree, label)` of each vertex
  /// at first, then (as often as there are vertices) its neighbours' sorted hashes and its own, last
  /// the sorted list of all.
  package var publishedHash: String {
    let count = vertexCount
    var predecessors = [UInt64](repeating: 0, count: count)
    for source in 0..<count {
      for target in 0..<count where hasEdge(source, target) {
        predecessors[target] |= 1 << UInt64(source)
      }
    }
    var hashes: [MD5.Hex] = (0..<count).map { vertex in
      let label =
        vertex == 0 ? -1 : vertex == count - 1 ? -2 : operations[vertex - 1].rawValue
      let out = successors[vertex].nonzeroBitCount
      return MD5.hex("(\(out), \(predecessors[vertex].nonzeroBitCount), \(label))".utf8)
    }
    var text: [UInt8] = []
    func append(_ vertices: UInt64) {
      for hash in (0..<count).filter({ vertices >> UInt64($0) & 1 == 1 }).map({ hashes[$0] })
        .sorted()
      {
        text += hash.bytes
      }
      text.append(UInt8(ascii: "|"))
    }
    for _ in 0..<count {
      let next = (0..<count).map { vertex -> MD5.Hex in
        text.removeAll(keepingCapacity: true)
        append(predecessors[vertex])
        append(successors[vertex])
        return MD5.hex(text + hashes[vertex].bytes)
      }
      hashes = next
    }
    let list = hashes.sorted().map { "'\($0)'" }.joined(separator: ", ")
    return "\(MD5.hex("[\(list)]".utf8))"
  }

  /// A key of 128 bits that is equal for isomorphic cells: the published rounds with a fast mixing
  /// function in the place of MD5. It tells apart the same 423,624 cells (tested), and lets a search
  /// or the enumeration ask without hashing text.
  package var key: ArchitectureKey { Self.key(successors, labels: operations.map { $0.rawValue }) }

  @inline(__always)
  static func key(_ successors: [UInt64], labels: [Int]) -> ArchitectureKey {
    let count = successors.count
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 3 * count) { buffer in
      let hashes = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      let sources = UnsafeMutableBufferPointer(rebasing: buffer[count..<(2 * count)])
      let targets = UnsafeMutableBufferPointer(rebasing: buffer[(2 * count)...])
      for vertex in 0..<count {
        sources[vertex] = 0
        targets[vertex] = 0
      }
      for source in 0..<count {
        var bits = successors[source]
        while bits != 0 {
          sources[bits.trailingZeroBitCount] += 1
          bits &= bits - 1
        }
      }
      for vertex in 0..<count {
        let label = vertex == 0 ? 14 : vertex == count - 1 ? 15 : labels[vertex - 1]
        hashes[vertex] = SplitMix64.mixed(
          UInt64(successors[vertex].nonzeroBitCount) << 16 | sources[vertex] << 8 | UInt64(label)
            + 1)
      }
      for _ in 0..<count {
        for vertex in 0..<count { sources[vertex] = 0 }
        for source in 0..<count {
          var bits = successors[source]
          var sum: UInt64 = 0
          let own = SplitMix64.mixed(hashes[source])
          while bits != 0 {
            let target = bits.trailingZeroBitCount
            sources[target] &+= own
            sum &+= SplitMix64.mixed(hashes[target] ^ 0xa5a5_a5a5_a5a5_a5a5)
            bits &= bits - 1
          }
          targets[source] = sum
        }
        for vertex in 0..<count {
          hashes[vertex] = SplitMix64.mixed(
            SplitMix64.mixed(sources[vertex] &+ 0x9e37_79b9_7f4a_7c15 &* hashes[vertex])
              ^ (targets[vertex] &* 0xd6e8_feb8_6659_fd93) &+ hashes[vertex])
        }
      }
      var high = UInt64(count)
      var low = UInt64(count)
      for hash in hashes {
        high &+= SplitMix64.mixed(hash ^ 0x6a09_e667_f3bc_c908)
        low &+= SplitMix64.mixed(hash)
      }
      return ArchitectureKey(high: high, low: low)
    }
  }
}
