// SPDX-License-Identifier: Apache-2.0

/// What PASCAL VOC's rules say of a detection.
public enum DetectionVerdict: UInt8, Sendable, Hashable, Codable {
  /// It found an object.
  case hit
  /// It found nothing, or what a better one has found.
  case miss
  /// It found what need not be found.
  case ignored

  /// The overlap from which on an object is found.
  private static let leastOverlap = 0.5

  /// The verdicts on the detections of one class in one image, in the order given.
  ///
  /// From the greatest score down, equal ones as they stand, each is compared with the object that it
  /// overlaps most, the first of equals, found already or not. An overlap of exactly one half counts.
  /// (The official code counts pixels, so that its boxes are one wider than the difference of their
  /// corners; edges that lie between pixels say the same.)
  public static func verdicts(
    on found: [FoundObject], objects: [TrueObject]
  ) -> [DetectionVerdict] {
    var verdicts = [DetectionVerdict](repeating: .miss, count: found.count)
    var isTaken = [Bool](repeating: false, count: objects.count)
    for index in found.map(\.score).orderOfFallingValues() {
      var best: (object: Int, overlap: Double)?
      for (number, object) in objects.enumerated() {
        let overlap = found[index].box.overlap(object.box)
        if overlap > best?.overlap ?? 0 { best = (number, overlap) }
      }
      guard let best, best.overlap >= leastOverlap else { continue }
      if objects[best.object].isIgnored {
        verdicts[index] = .ignored
      } else if !isTaken[best.object] {
        verdicts[index] = .hit
        isTaken[best.object] = true
      }
    }
    return verdicts
  }
}
