// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Finds room for labels beside their points, so that no label covers another, a mark, or leaves
/// the frame. Deterministic: the same input gives the same places.
///
/// Labels are placed one after the other at the cheapest free place of a fixed list around the
/// point; far places and places across lines cost more. Then each is moved once more, now that all
/// others are known. A label without any free place is left out; the point's hover text remains.
struct LabelPlacer {
  struct Request {
    var text: String
    var point: Position
    /// From the point's middle to its mark's rim.
    var radius: Double
    var fontSize: Double
    var isBold: Bool
  }

  struct Placement: Equatable {
    var box: Box
    /// The point that is labelled.
    var origin: Position
    /// The end of a thin line from the point, where the label stands away from it.
    var leader: Position?
  }

  var frame: Box
  /// Marks and other things that labels must not cover.
  var obstacles: [Box]
  /// Lines of the chart, which labels should not cover.
  var lines: [(Position, Position)]

  /// The place of each request, nil where there is none.
  func place(_ requests: [Request]) -> [Placement?] {
    var placements: [Placement?] = Array(repeating: nil, count: requests.count)
    // First those in the thick of it, which have the fewest places to go.
    let crowd = requests.map { request in
      requests.count { $0.point.distance(to: request.point) < 60 }
    }
    let order = requests.indices.sorted {
      (requests[$0].isBold ? 0 : 1, -crowd[$0], $0) < (requests[$1].isBold ? 0 : 1, -crowd[$1], $1)
    }
    for sweep in 0..<3 {
      for index in order {
        var others = placements
        others[index] = nil
        let found = cheapest(requests[index], among: others.compactMap { $0 })
        if found != nil || sweep == 0 { placements[index] = found }
      }
    }
    return placements
  }

  private func cheapest(_ request: Request, among others: [Placement]) -> Placement? {
    var best: (cost: Double, placement: Placement)?
    for (cost, placement) in candidates(request) {
      if let best, best.cost <= cost { continue }
      guard let extra = penalty(placement, request, others) else { continue }
      if cost + extra < best?.cost ?? .infinity { best = (cost + extra, placement) }
    }
    return best?.placement
  }

  /// What a place costs beyond its distance, nil if it is taken.
  private func penalty(
    _ placement: Placement, _ request: Request, _ others: [Placement]
  ) -> Double? {
    let box = placement.box
    guard frame.contains(box) else { return nil }
    if obstacles.contains(where: { $0.overlaps(box) }) { return nil }
    var cost = 0.0
    for other in others {
      if other.box.overlaps(box) { return nil }
      // A thin line behind a label is the last resort.
      if let end = placement.leader, other.box.isCrossed(from: request.point, to: end) {
        cost += 120
      }
      if let end = other.leader, box.isCrossed(from: other.origin, to: end) { cost += 120 }
    }
    if let end = placement.leader {
      // A line through other marks points at the wrong one.
      cost += 30 * Double(obstacles.count { $0.isCrossed(from: request.point, to: end) } - 1)
    }
    for line in lines where box.isCrossed(from: line.0, to: line.1) { cost += 30 }
    return max(cost, 0)
  }

  /// Places around the point with their costs, near ones first.
  private func candidates(_ request: Request) -> [(Double, Placement)] {
    let width = TextMetrics.width(request.text, size: request.fontSize, isBold: request.isBold) + 2
    let height = TextMetrics.height(size: request.fontSize)
    let point = request.point
    var result: [(Double, Placement)] = []
    let near = request.radius + 3
    let diagonal = request.radius * 0.71 + 2
    let sides: [(Double, Double, Double)] = [
      (near, -height / 2, 0), (-near - width, -height / 2, 2), (-width / 2, -near - height, 1),
      (-width / 2, near, 3), (diagonal, -diagonal - height, 2), (diagonal, diagonal, 4),
      (-diagonal - width, -diagonal - height, 4), (-diagonal - width, diagonal, 5),
    ]
    for (dx, dy, cost) in sides {
      let box = Box(x: point.x + dx, y: point.y + dy, width: width, height: height)
      result.append((cost, Placement(box: box, origin: point, leader: nil)))
    }
    for step in 1...14 {
      let distance = request.radius + 8 + 9 * Double(step)
      for turn in 0..<16 {
        let angle = Double(turn) * .pi / 8
        let (dx, dy) = (cos(angle) * distance, sin(angle) * distance)
        // The box's side or corner that faces the point lies at that distance.
        let x = point.x + dx - (dx < -1 ? width : dx > 1 ? 0 : width / 2)
        let y = point.y + dy - (dy < -1 ? height : dy > 1 ? 0 : height / 2)
        let box = Box(x: x, y: y, width: width, height: height)
        result.append(
          (
            10 + distance * 0.6,
            Placement(box: box, origin: point, leader: box.nearest(to: point))
          ))
      }
    }
    return result
  }
}
