// SPDX-License-Identifier: Apache-2.0
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns what a detector gives for an image into boxes.
///
/// The values of an image stand in one row: for each map of features the logits of the classes [boxes,
/// classes, positions] with the background as the first class, then for each map the offsets [boxes, 4,
/// positions]. That is what networks give as outputs [N, boxes · classes, H, W], map by map.
public struct DetectionDecoder: Sendable {
  /// One map of features.
  struct Map: Sendable {
    /// H · W.
    var positions: Int
    /// Default boxes at each position.
    var boxes: Int
    /// Default boxes of the maps before.
    var firstPrior: Int
    /// Where its logits begin.
    var logits: Int
    /// Where its offsets begin.
    var offsets: Int
  }

  /// The default boxes.
  public let priors: PriorBoxes
  /// Classes with the background.
  public let classes: Int
  /// How offsets become boxes.
  public let coding: BoxCoding
  /// Values of an image.
  public let valueCount: Int
  let maps: [Map]

  /// A decoder.
  ///
  /// - Parameters:
  ///   - priors: The default boxes, position by position.
  ///   - maps: Positions and boxes at each, for every map.
  ///   - classes: Classes with the background.
  ///   - coding: How offsets become boxes.
  public init(
    priors: PriorBoxes, maps: [(positions: Int, boxesPerPosition: Int)], classes: Int,
    coding: BoxCoding = BoxCoding()
  ) {
    let count = maps.reduce(0) { $0 + $1.positions * $1.boxesPerPosition }
    precondition(count == priors.count && classes > 1, "the maps must have the default boxes")
    self.priors = priors
    self.classes = classes
    self.coding = coding
    var first = 0
    self.maps = maps.map { positions, boxes in
      defer { first += positions * boxes }
      return Map(
        positions: positions, boxes: boxes, firstPrior: first, logits: first * classes,
        offsets: count * classes + first * 4)
    }
    valueCount = count * (classes + 4)
  }

  /// The boxes of an image, best first; of equal scores the lower class first, then the lower default box.
  ///
  /// Logits that are not numbers are no candidates.
  public func boxes(_ values: ArraySlice<Float>, limits: DetectionLimits) -> [DecodedBox] {
    boxes(values, limits: limits) { $0 }
  }

  /// The same for what is made of each box that is left; one of which nothing is made does not count
  /// towards the limit.
  func boxes<Result>(
    _ values: ArraySlice<Float>, limits: DetectionLimits, _ make: (DecodedBox) -> Result?
  ) -> [Result] {
    precondition(values.count == valueCount, "the values must be those of one image")
    return values.withUnsafeBufferPointer { values in
      guard let values = values.baseAddress else { return [] }
      return suppressed(candidates(values, limits), values, limits, make)
    }
  }

  /// The values of an image as rows: [default boxes, classes] and [default boxes, 4].
  func rows(_ values: ArraySlice<Float>) -> (logits: [Float], offsets: [Float]) {
    precondition(values.count == valueCount, "the values must be those of one image")
    var logits = [Float](repeating: 0, count: priors.count * classes)
    var offsets = [Float](repeating: 0, count: priors.count * 4)
    values.withUnsafeBufferPointer { values in
      func take(_ rows: inout [Float], _ width: Int, _ map: Map, from start: Int) {
        var place = start
        for box in 0..<map.boxes {
          for value in 0..<width {
            for position in 0..<map.positions {
              rows[(map.firstPrior + position * map.boxes + box) * width + value] = values[place]
              place += 1
            }
          }
        }
      }
      for map in maps {
        take(&logits, classes, map, from: map.logits)
        take(&offsets, 4, map, from: map.offsets)
      }
    }
    return (logits, offsets)
  }

  // MARK: Candidates

  /// A candidate as one number: they sort by falling score, then by class, then by default box.
  private struct Candidate {
    static func key(score: Float, label: Int, prior: Int, priors: Int) -> UInt64 {
      UInt64(~score.bitPattern) << 32 | UInt64(label * priors + prior)
    }

    var key: UInt64
    var score: Float { Float(bitPattern: ~UInt32(truncatingIfNeeded: key >> 32)) }
    func label(_ priors: Int) -> Int { Int(UInt32(truncatingIfNeeded: key)) / priors }
    func prior(_ priors: Int) -> Int { Int(UInt32(truncatingIfNeeded: key)) % priors }
  }

  /// The best of each class, sorted over all classes.
  private func candidates(
    _ values: UnsafePointer<Float>, _ limits: DetectionLimits
  ) -> [UInt64] {
    let threshold = Float(limits.score)
    // A probability above t needs a logit above the background's by more than log(t / (1 − t)): most
    // default boxes are out by this comparison alone. A little lower, since it is rounded.
    let margin: Float =
      limits.score > 0 && limits.score < 1
      ? Float(log(limits.score / (1 - limits.score))) - 1e-3 : -.infinity
    var found = [[UInt64]](repeating: [], count: classes - 1)
    let longest = maps.reduce(0) { max($0, $1.positions) }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longest) { isOpen in
      withUnsafeTemporaryAllocation(of: Float.self, capacity: classes) { row in
        for map in maps {
          for box in 0..<map.boxes {
            let logits = values + map.logits + box * classes * map.positions
            mark(isOpen, logits, map.positions, margin)
            for position in 0..<map.positions where isOpen[position] != 0 {
              let prior = map.firstPrior + position * map.boxes + box
              for label in 0..<classes {
                row.initializeElement(at: label, to: logits[position + label * map.positions])
              }
              add(row, prior: prior, threshold, &found)
            }
          }
        }
      }
    }
    var all: [UInt64] = []
    for label in found.indices {
      found[label].keepSmallest(max(limits.candidatesPerClass, 0))
      all += found[label]
    }
    all.sort()
    return all
  }

  /// Marks positions at which some class may reach the threshold.
  private func mark(
    _ isOpen: UnsafeMutableBufferPointer<UInt8>, _ logits: UnsafePointer<Float>, _ positions: Int,
    _ margin: Float
  ) {
    for position in 0..<positions { isOpen[position] = 0 }
    for label in 1..<classes {
      let own = logits + label * positions
      for position in 0..<positions {
        isOpen[position] |= own[position] > logits[position] + margin ? 1 : 0
      }
    }
  }

  /// Adds the classes of a default box whose probability is above the threshold, from its logits, which
  /// become probabilities.
  private func add(
    _ row: UnsafeMutableBufferPointer<Float>, prior: Int, _ threshold: Float,
    _ found: inout [[UInt64]]
  ) {
    Softmax.replace(row)
    for label in 1..<classes {
      let score = row[label]
      guard score > threshold else { continue }
      found[label - 1].append(
        Candidate.key(score: score, label: label - 1, prior: prior, priors: priors.count))
    }
  }

  // MARK: Suppression

  /// Goes through the candidates of all classes by falling score, so that it can stop at the last box
  /// that is wanted: classes do not touch each other, so the outcome is that of class after class.
  private func suppressed<Result>(
    _ candidates: [UInt64], _ values: UnsafePointer<Float>, _ limits: DetectionLimits,
    _ make: (DecodedBox) -> Result?
  ) -> [Result] {
    var kept: [Result] = []
    var own = [[BoundingBox]](repeating: [], count: classes - 1)
    for key in candidates {
      if kept.count >= limits.boxesPerImage { break }
      let candidate = Candidate(key: key)
      let label = candidate.label(priors.count), prior = candidate.prior(priors.count)
      let box = coding.decoded(offsets(values, prior), from: priors, prior)
      if own[label].contains(where: { $0.overlap(box) > limits.overlap }) { continue }
      own[label].append(box)
      let found = DecodedBox(label: label, score: candidate.score, box: box, prior: prior)
      if let result = make(found) { kept.append(result) }
    }
    return kept
  }

  private func offsets(
    _ values: UnsafePointer<Float>, _ prior: Int
  ) -> (Float, Float, Float, Float) {
    let map = maps.last { $0.firstPrior <= prior } ?? maps[0]
    let (position, box) = (prior - map.firstPrior).quotientAndRemainder(dividingBy: map.boxes)
    let start = values + map.offsets + box * 4 * map.positions + position
    return (start[0], start[map.positions], start[2 * map.positions], start[3 * map.positions])
  }
}

extension [UInt64] {
  /// Keeps so many of the smallest, in any order.
  fileprivate mutating func keepSmallest(_ wanted: Int) {
    guard count > wanted else { return }
    guard wanted > 0 else { return removeAll() }
    withUnsafeMutableBufferPointer { values in
      var (low, high) = (0, values.count - 1)
      // What is left of `wanted` is smaller than what is right of it once the two meet.
      while low < high {
        let pivot = median(values[low], values[(low + high) / 2], values[high])
        var (left, right) = (low, high)
        while left <= right {
          while values[left] < pivot { left += 1 }
          while values[right] > pivot { right -= 1 }
          if left <= right {
            values.swapAt(left, right)
            left += 1
            right -= 1
          }
        }
        if wanted - 1 <= right {
          high = right
        } else if wanted - 1 >= left {
          low = left
        } else {
          break
        }
      }
    }
    removeLast(count - wanted)
  }
}

private func median(_ a: UInt64, _ b: UInt64, _ c: UInt64) -> UInt64 {
  max(min(a, b), min(max(a, b), c))
}
