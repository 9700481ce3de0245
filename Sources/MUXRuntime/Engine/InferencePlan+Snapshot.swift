// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels

extension InferencePlan {
  /// The plan's memory with an image and what comes out for it, for a program without Swift that runs the
  /// same steps on another processor with vectors of as many lanes (`tools/check_arm/run_plan.c`).
  ///
  /// Little-endian: "MUXPLAN1"; ten 64-bit integers: the regions, the addresses in them, the steps, the
  /// region of the steps, floats of the arena, place and count of the input and of the output in it, lanes;
  /// the size of each region; the regions, each from a multiple of 64 on; four integers for each address:
  /// region and offset of where it stands and of what it points to; input and output as floats.
  ///
  /// - Parameters:
  ///   - input: The image, [C, H, W].
  ///   - output: What the plan makes of it.
  /// - Returns: The bytes; nil for a guarded plan, whose memory is spread out.
  package func snapshot(input: [Float], output: [Float]) -> [UInt8]? {
    guard !isGuarded else { return nil }
    var regions: [UnsafeRawBufferPointer] = []
    var holders: [Int] = []
    memory.forEachBlock { block, mayHoldAddresses in
      if mayHoldAddresses { holders.append(regions.count) }
      regions.append(block)
    }
    // The mapped weights stay where they are as long as `file`, which the plan keeps.
    file?.data.withUnsafeBytes { regions.append($0) }
    let starts = regions.map { UInt(bitPattern: $0.baseAddress) }
    let byStart = regions.indices.sorted { starts[$0] < starts[$1] }

    func place(of address: UInt) -> (region: Int, offset: Int)? {
      var low = 0, high = byStart.count
      while low < high {
        let middle = (low + high) / 2
        if starts[byStart[middle]] <= address { low = middle + 1 } else { high = middle }
      }
      guard low > 0 else { return nil }
      let region = byStart[low - 1], offset = address - starts[region]
      return offset < UInt(regions[region].count) ? (region, Int(offset)) : nil
    }

    var addresses: [Int] = []
    for region in holders {
      for offset in stride(from: 0, through: regions[region].count - 8, by: 8) {
        let word = regions[region].loadUnaligned(fromByteOffset: offset, as: UInt.self)
        guard let target = place(of: word) else { continue }
        addresses += [region, offset, target.region, target.offset]
      }
    }
    guard let steps = place(of: UInt(bitPattern: UnsafeRawPointer(compiled))) else { return nil }

    var bytes = Array("MUXPLAN1".utf8)
    func append(_ numbers: [Int]) {
      for number in numbers {
        withUnsafeBytes(of: Int64(number).littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    append([
      regions.count, addresses.count / 4, self.steps.count, steps.region, arenaSize, inputOffset,
      input.count, outputOffset, output.count, instructionSet.lanes,
    ])
    append(regions.map(\.count))
    for region in regions {
      bytes.append(contentsOf: [UInt8](repeating: 0, count: -bytes.count & 63))
      bytes.append(contentsOf: region)
    }
    bytes.append(contentsOf: [UInt8](repeating: 0, count: -bytes.count & 63))
    append(addresses)
    for value in input + output {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}
