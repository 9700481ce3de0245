// SPDX-License-Identifier: Apache-2.0

/// Default boxes by their centres and sides, in shares of the image.
public struct PriorBoxes: Sendable, Hashable {
  /// Centre x, centre y, width, height of each.
  public let rows: [Float]

  /// Boxes from their rows, four numbers each.
  public init(rows: [Float]) {
    precondition(rows.count.isMultiple(of: 4), "a box has four numbers")
    self.rows = rows
  }

  /// How many there are.
  public var count: Int { rows.count / 4 }

  /// Edges of a box, which may lie outside the image.
  public subscript(index: Int) -> BoundingBox {
    let (x, y) = (Double(rows[4 * index]), Double(rows[4 * index + 1]))
    let (width, height) = (Double(rows[4 * index + 2]), Double(rows[4 * index + 3]))
    return BoundingBox(
      left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2)
  }

  package var edges: [BoundingBox] { (0..<count).map { self[$0] } }
}
