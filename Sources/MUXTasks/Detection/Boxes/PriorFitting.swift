// SPDX-License-Identifier: Apache-2.0
import MUXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension PriorLayout {
  /// The layout with sizes and ratios that suit objects; where the boxes stand, and how many there are at
  /// each position, stays as it is.
  ///
  /// Objects are shared out among the maps by their size: a map with a step of s pixels takes those of
  /// 3.5·s / (1 + 2.5·s/S) pixels and more on an image of S, up to what the next map takes, as the public
  /// detectors share them; the first map takes all below. The boxes of a map are then found by k-means on
  /// the overlap with its objects, of the shapes that a map can have: two squares and, for each ratio, a
  /// wide and a high box of the small square's area. Maps without objects keep what they have.
  ///
  /// - Parameter objects: The objects in shares of the image, and how much each counts.
  public func fitted(to objects: [(box: BoundingBox, weight: Double)]) -> PriorLayout {
    let (width, height) = (Double(imageSize.width), Double(imageSize.height))
    let side = min(width, height)
    var shares = [[PriorFit.Object]](repeating: [], count: maps.count)
    for (box, weight) in objects where box.width > 0 && box.height > 0 && weight > 0 {
      let object = PriorFit.Object(
        width: box.width * width, height: box.height * height, weight: weight)
      let place = maps.indices.dropFirst().last { index in
        object.side >= 3.5 * maps[index].step / (1 + 2.5 * maps[index].step / side)
      }
      shares[place ?? 0].append(object)
    }
    var result = self
    for index in maps.indices where !shares[index].isEmpty {
      PriorFit(shares[index], seed: UInt64(index)).fit(&result.maps[index])
    }
    return result
  }
}

/// How near default boxes come to objects.
public struct PriorReach: Sendable, Hashable, Codable {
  /// How many objects were compared.
  public var objects: Int
  /// The mean over the objects of the greatest overlap with a default box; nil without objects.
  public var meanOverlap: Double?
  /// The share of the objects that some default box overlaps by one half at least.
  public var recall: Double?

  /// Sets objects, in shares of the image, beside the default boxes where they stand.
  public init(_ objects: [BoundingBox], priors edges: [BoundingBox]) {
    self.objects = objects.count
    guard !objects.isEmpty else { return }
    var (sum, reached) = (0.0, 0)
    for object in objects {
      var best = 0.0
      for edge in edges where edge.left < object.right && edge.right > object.left {
        best = max(best, object.overlap(edge))
      }
      sum += best
      if best >= 0.5 { reached += 1 }
    }
    meanOverlap = sum / Double(objects.count)
    recall = Double(reached) / Double(objects.count)
  }
}

/// Sizes and ratios of one map's boxes, found by k-means on the overlap.
private struct PriorFit {
  struct Object {
    var width: Double
    var height: Double
    var weight: Double
    /// The side of the square of the same area.
    var side: Double { (width * height).squareRoot() }

    /// The overlap with a box on the same centre.
    func overlap(_ width: Double, _ height: Double) -> Double {
      let shared = min(self.width, width) * min(self.height, height)
      return shared / (self.width * self.height + width * height - shared)
    }
  }

  /// The boxes of a map.
  struct Shapes {
    var small: Double
    var large: Double
    /// Each gives a wide and a high box.
    var ratios: [Double]

    var boxes: [(width: Double, height: Double)] {
      [(small, small), (large, large)]
        + ratios.flatMap { ratio in
          let root = ratio.squareRoot()
          return [(small * root, small / root), (small / root, small * root)]
        }
    }
  }

  /// More objects than these tell nothing new.
  private static let enough = 3000
  private let objects: [Object]

  init(_ all: [Object], seed: UInt64) {
    var random = RandomStream(seed: 0, purpose: .split, indices: seed)
    objects =
      all.count <= Self.enough
      ? all : random.permutation(all.count).prefix(Self.enough).map { all[$0] }
  }

  /// Finds the boxes of a map.
  func fit(_ map: inout PriorLayout.Map) {
    let sides = Quantiles(objects.map(\.side))
    let ratios = (0..<map.ratios.count).map { 1.3 + 0.6 * Double($0) }
    var best: (shapes: Shapes, overlap: Double)?
    for (low, high) in [(0.25, 0.75), (0.1, 0.9), (0.5, 0.95), (0.05, 0.5)] {
      guard let small = sides.lower(low), let large = sides.lower(high) else { return }
      let start = Shapes(small: small, large: large, ratios: ratios)
      let found = polished(clustered(start))
      if found.overlap > best?.overlap ?? 0 { best = found }
    }
    guard let shapes = best?.shapes else { return }
    // Divided at the end, so that the numbers are short in a file.
    map.minimum = (shapes.small * 10).rounded() / 10
    map.maximum = (shapes.large * shapes.large / shapes.small * 10).rounded() / 10
    map.ratios = shapes.ratios.sorted().map { ($0 * 100).rounded() / 100 }
  }

  /// The weighted mean of each object's best overlap.
  private func meanOverlap(_ shapes: Shapes) -> Double {
    let boxes = shapes.boxes
    var (sum, weights) = (0.0, 0.0)
    for object in objects {
      var best = 0.0
      for box in boxes { best = max(best, object.overlap(box.width, box.height)) }
      sum += object.weight * best
      weights += object.weight
    }
    return sum / weights
  }

  /// Each object joins the box that it overlaps most; each size and ratio becomes the (geometric) mean of
  /// those that joined it; until nothing moves.
  private func clustered(_ start: Shapes) -> Shapes {
    var shapes = start
    var joined = [Int](repeating: -1, count: objects.count)
    for _ in 0..<50 {
      let boxes = shapes.boxes
      var hasMoved = false
      var small = Mean(), large = Mean(), ratios = [Mean](repeating: Mean(), count: boxes.count / 2)
      for (index, object) in objects.enumerated() {
        var (place, overlap) = (0, -1.0)
        for (number, box) in boxes.enumerated() {
          let own = object.overlap(box.width, box.height)
          if own > overlap { (place, overlap) = (number, own) }
        }
        if joined[index] != place { hasMoved = true }
        joined[index] = place
        if place == 1 {
          large.add(object.side, object.weight)
        } else {
          small.add(object.side, object.weight)
          let ratio = object.width / object.height
          if place > 1 {
            ratios[place / 2].add(place.isMultiple(of: 2) ? ratio : 1 / ratio, object.weight)
          }
        }
      }
      guard hasMoved else { break }
      shapes.small = small.value ?? shapes.small
      shapes.large = max(large.value ?? shapes.large, shapes.small)
      for index in shapes.ratios.indices {
        shapes.ratios[index] = max(ratios[index + 1].value ?? shapes.ratios[index], 1.05)
      }
    }
    return shapes
  }

  /// Moves each number by small steps as long as the overlap grows: the means of the clusters are near the
  /// best, not it.
  private func polished(_ start: Shapes) -> (shapes: Shapes, overlap: Double) {
    var best = (shapes: start, overlap: meanOverlap(start))
    for step in [1.1, 1.04, 1.015] {
      var isBetter = true
      var rounds = 0
      while isBetter, rounds < 12 {
        isBetter = false
        rounds += 1
        for number in 0..<(2 + start.ratios.count) {
          for factor in [step, 1 / step] {
            var next = best.shapes
            switch number {
            case 0: next.small = min(next.small * factor, next.large)
            case 1: next.large = max(next.large * factor, next.small)
            default: next.ratios[number - 2] = max(next.ratios[number - 2] * factor, 1.05)
            }
            let overlap = meanOverlap(next)
            if overlap > best.overlap + 1e-9 {
              best = (next, overlap)
              isBetter = true
            }
          }
        }
      }
    }
    return best
  }

  /// A weighted geometric mean.
  struct Mean {
    private var logarithms = 0.0
    private var weights = 0.0

    mutating func add(_ value: Double, _ weight: Double) {
      logarithms += weight * log(value)
      weights += weight
    }

    /// Nil of nothing.
    var value: Double? { weights > 0 ? exp(logarithms / weights) : nil }
  }
}
