// SPDX-License-Identifier: Apache-2.0

/// An image of 8 bits a colour, as a camera, a window or a decoder gives it.
public struct RGBImage: Sendable, Hashable {
  /// Columns.
  public let width: Int
  /// Rows.
  public let height: Int
  /// Red, green, blue of each pixel, row by row from the top left.
  public let bytes: [UInt8]

  /// An image from its bytes.
  ///
  /// - Throws: ``RuntimeError/image(width:height:bytes:)`` unless there are 3 · width · height of them.
  public init(width: Int, height: Int, bytes: [UInt8]) throws(RuntimeError) {
    guard width > 0, height > 0, width <= 1 << 20, height <= 1 << 20,
      bytes.count == 3 * width * height
    else { throw .image(width: width, height: height, bytes: bytes.count) }
    self.width = width
    self.height = height
    self.bytes = bytes
  }

  /// The middle of the image, scaled as evaluations of ImageNet networks do it: the shorter side to
  /// 8/7 of the target's (the paper's 256 for 224), then the middle cut out. Where the image is made
  /// smaller, each pixel is a mean over those that it stands for, weighted by distance.
  ///
  /// - Returns: [3, height, width], values 0 … 1 with `normalization` applied.
  func pixels(height: Int, width: Int, normalization: PixelNormalization) -> [Float] {
    [Float](unsafeUninitializedCapacity: 3 * height * width) { result, count in
      write(height: height, width: width, normalization: normalization, to: result)
      count = 3 * height * width
    }
  }

  /// The same, written to a buffer of 3 · height · width numbers.
  func write(
    height: Int, width: Int, normalization: PixelNormalization,
    to result: UnsafeMutableBufferPointer<Float>
  ) {
    let scale =
      min(
        Double(self.width) / Double(width), Double(self.height) / Double(height)) * 7 / 8
    let columns = Resampling(from: self.width, to: width, scale: scale)
    let rows = Resampling(from: self.height, to: height, scale: scale)
    var line = [Float](repeating: 0, count: width)
    for color in 0..<3 {
      let mean = normalization.mean[color]
      let factor = 1 / normalization.standardDeviation[color]
      // Columns first, for each row that some row of the target asks for, kept while it is wanted.
      var cache: [Int: [Float]] = [:]
      for y in 0..<height {
        let taps = rows.taps[y]
        cache = cache.filter { $0.key >= taps.first }
        for x in line.indices { line[x] = 0 }
        for (offset, weight) in taps.weights.enumerated() {
          let row = taps.first + offset
          let values = cache[row] ?? across(row, color, columns)
          cache[row] = values
          for x in 0..<width { line[x] += weight * values[x] }
        }
        let start = (color * height + y) * width
        for x in 0..<width { result[start + x] = (line[x] / 255 - mean) * factor }
      }
    }
  }

  private func across(_ row: Int, _ color: Int, _ columns: Resampling) -> [Float] {
    bytes.withUnsafeBufferPointer { bytes in
      columns.taps.map { taps in
        var sum: Float = 0
        for (offset, weight) in taps.weights.enumerated() {
          sum += weight * Float(bytes[(row * width + taps.first + offset) * 3 + color])
        }
        return sum
      }
    }
  }
}

/// Which positions of a line a position of a scaled line is a mean of.
private struct Resampling {
  struct Taps {
    var first: Int
    var weights: [Float]
  }

  var taps: [Taps] = []

  /// The middle `target` positions of a line that was scaled down by `scale`, with a triangle filter.
  init(from source: Int, to target: Int, scale: Double) {
    let support = max(scale, 1)
    let middle = Double(source) / 2
    for position in 0..<target {
      let center = middle + (Double(position) + 0.5 - Double(target) / 2) * scale
      let first = max(0, Int((center - support).rounded()))
      let last = min(source, Int((center + support).rounded()))
      var weights = (min(first, source - 1)..<max(last, min(first, source - 1) + 1)).map {
        Float(max(0, 1 - abs(Double($0) + 0.5 - center) / support))
      }
      let sum = weights.reduce(0, +)
      if sum > 0 {
        for index in weights.indices { weights[index] /= sum }
      } else {
        weights = [1]
      }
      taps.append(Taps(first: min(first, source - 1), weights: weights))
    }
  }
}
