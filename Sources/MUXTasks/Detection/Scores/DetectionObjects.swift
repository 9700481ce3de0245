// SPDX-License-Identifier: Apache-2.0

/// A thing that is in an image, as the data set has it. Edges lie between pixels.
public struct TrueObject: Sendable, Hashable {
  /// The class, from 0.
  public var label: Int
  /// Where it is.
  public var box: BoundingBox
  /// Whether it is left out of what must be found; finding it is no fault.
  public var isDifficult: Bool
  /// Whether the box has many things in it, of which any may be found.
  public var isCrowd: Bool
  /// The area of the thing itself.
  public var area: Double

  /// An object; its area is that of its box unless given.
  public init(
    label: Int, box: BoundingBox, isDifficult: Bool = false, isCrowd: Bool = false,
    area: Double? = nil
  ) {
    self.label = label
    self.box = box
    self.isDifficult = isDifficult
    self.isCrowd = isCrowd
    self.area = area ?? box.area
  }

  /// Whether evaluations leave it out.
  var isIgnored: Bool { isDifficult || isCrowd }
}

/// A thing that a detector says is in an image.
public struct FoundObject: Sendable, Hashable {
  /// The class, from 0.
  public var label: Int
  /// How sure the detector is.
  public var score: Double
  /// Where it is.
  public var box: BoundingBox

  /// A detection.
  public init(label: Int, score: Double, box: BoundingBox) {
    self.label = label
    self.score = score
    self.box = box
  }
}

extension Sequence<Double> {
  /// The places in the order of falling values, equal ones as they stand; what is not a number last.
  func orderOfFallingValues() -> [Int] {
    let values = map { $0.isNaN ? -.infinity : $0 }
    return values.indices.sorted {
      values[$0] != values[$1] ? values[$0] > values[$1] : $0 < $1
    }
  }
}
