// SPDX-License-Identifier: Apache-2.0

/// What COCO's rules say of the detections of one class, at ten least overlaps and in four ranges of
/// areas, as pycocotools counts them.
struct COCOMatches: Sendable, Hashable, Codable {
  /// 0.50, 0.55 … 0.95, as NumPy's linspace rounds them.
  static let overlaps: [Double] = {
    let step: Double = (0.95 - 0.5) / 9
    return (0..<9).map { 0.5 + Double($0) * step } + [0.95]
  }()
  /// All areas, small, medium and large ones, in square pixels; both ends belong to a range.
  static let areas: [ClosedRange<Double>] = [0...1e10, 0...1024, 1024...9216, 9216...1e10]
  /// Detections of a class in an image that count, the best.
  static let limit = 100

  /// One bit for each range of areas and each least overlap.
  private static func bit(_ area: Int, _ overlap: Int) -> UInt64 {
    1 << UInt64(area * overlaps.count + overlap)
  }

  private var scores: [Double] = []
  private var hits: [UInt64] = []
  private var ignored: [UInt64] = []
  /// The places among the detections of their image.
  private var ranks: [Int] = []
  /// Objects that must be found, in each range of areas.
  private(set) var objects = [Int](repeating: 0, count: areas.count)

  /// Counts the detections and the objects of one image.
  mutating func add(_ found: [FoundObject], objects: [TrueObject]) {
    let order = found.map(\.score).orderOfFallingValues().prefix(Self.limit)
    let best = order.map { found[$0] }
    let overlaps = best.map { detection in
      objects.map { Self.overlap(detection.box, $0) }
    }
    let first = scores.count
    for (rank, detection) in best.enumerated() {
      scores.append(detection.score)
      hits.append(0)
      ignored.append(0)
      ranks.append(rank)
    }
    for (number, range) in Self.areas.enumerated() {
      let isIgnored = objects.map { $0.isIgnored || !range.contains($0.area) }
      self.objects[number] += isIgnored.count { !$0 }
      // Those that must be found come first.
      let candidates =
        objects.indices.filter { !isIgnored[$0] }
        + objects.indices.filter { isIgnored[$0] }
      for (place, least) in Self.overlaps.enumerated() {
        var isTaken = [Bool](repeating: false, count: objects.count)
        let bit = Self.bit(number, place)
        for rank in best.indices {
          var match: Int?
          var reached = min(least, 1 - 1e-10)
          for object in candidates {
            if isTaken[object], !objects[object].isCrowd { continue }
            if let match, !isIgnored[match], isIgnored[object] { break }
            guard overlaps[rank][object] >= reached else { continue }
            reached = overlaps[rank][object]
            match = object
          }
          if let match {
            isTaken[match] = true
            if isIgnored[match] { ignored[first + rank] |= bit } else { hits[first + rank] |= bit }
          } else if !range.contains(best[rank].box.area) {
            ignored[first + rank] |= bit
          }
        }
      }
    }
  }

  /// Intersection over union; over the detection's own area where the object is a crowd.
  private static func overlap(_ found: BoundingBox, _ object: TrueObject) -> Double {
    let shared = found.intersection(object.box)
    guard shared > 0 else { return 0 }
    return shared / (object.isCrowd ? found.area : found.area + object.box.area - shared)
  }

  mutating func merge(_ other: COCOMatches) {
    scores += other.scores
    hits += other.hits
    ignored += other.ignored
    ranks += other.ranks
    for index in objects.indices { objects[index] += other.objects[index] }
  }

  /// Average precision and the recall reached, at each least overlap; nil without objects in the range.
  func results(area: Int, limit: Int = limit) -> [(precision: Double, recall: Double)]? {
    let objects = objects[area]
    guard objects > 0 else { return nil }
    let order = scores.orderOfFallingValues().filter { ranks[$0] < limit }
    return Self.overlaps.indices.map { place in
      let bit = Self.bit(area, place)
      var (found, missed) = (0, 0)
      var recalls: [Double] = []
      var precisions: [Double] = []
      for index in order where ignored[index] & bit == 0 {
        if hits[index] & bit != 0 { found += 1 } else { missed += 1 }
        recalls.append(Double(found) / Double(objects))
        precisions.append(Double(found) / Double(found + missed))
      }
      return (Self.averagePrecision(recalls, precisions), recalls.last ?? 0)
    }
  }

  /// The mean of the greatest precisions at 101 recalls or any higher ones. The recalls are those of
  /// NumPy, whose 0.57 is a little more than 57/100.
  private static func averagePrecision(_ recalls: [Double], _ precisions: [Double]) -> Double {
    var sum = 0.0
    var best = 0.0
    var index = recalls.count - 1
    for hundredth in (0...100).reversed() {
      while index >= 0, recalls[index] >= Double(hundredth) * 0.01 {
        best = max(best, precisions[index])
        index -= 1
      }
      sum += best
    }
    return sum / 101
  }
}
