// SPDX-License-Identifier: Apache-2.0

/// A projection without a residual sum of planes. It writes planes, unless a single step reads them
/// that would rather have something else: that spares a transposition, or a step that makes cells.
struct Projection {
  var storage: Int
  /// Whether it multiplies cells; then it can write cells, else blocks of lanes.
  var hasCells: Bool
  /// What it adds, if that is blocked: the result takes its place, channel by channel.
  var residual: Int?
}

extension PlanCompiler {
  /// The projection whose value `node` is, if only one node reads it. (What is
  /// measured is measured where cells are made of planes.)
  func wantedProjection(of node: Int, hasCells: Bool) -> Projection? {
    // (The network's input is no node, so it is asked first whether there is a projection.)
    guard !isObserving, let projection = projections[node], projection.hasCells == hasCells,
      analysis.soleReader(of: node) != nil
    else { return nil }
    return projection
  }

  /// Has the projection whose value `node` is write blocks; nil if it cannot, else their storage and
  /// where in it the lanes of the channels start, the first pixel of each.
  mutating func blockProjection(of node: Int, _ tensor: PlaneTensor) -> [Plane]? {
    guard let projection = wantedProjection(of: node, hasCells: false) else { return nil }
    let count = tensor.planes.count, pixels = tensor.pixels
    let storage = projection.residual ?? projection.storage
    storages[projection.storage].size =
      projection.residual == nil ? (count + lanes - 1) / lanes * lanes * pixels : 0
    blockedProjections[projection.storage] = storage
    return (0..<count).map {
      Plane(storage: storage, offset: $0 / lanes * lanes * pixels + $0 % lanes)
    }
  }
}
