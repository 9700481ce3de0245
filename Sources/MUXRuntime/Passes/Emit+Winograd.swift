// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

extension Emission {
  /// What differs where windows are multiplied by Winograd's tiles.
  func emit(_ winograd: Winograd, of dense: DenseStep, _ result: inout mux_dense) {
    guard case .windows(let planes, _) = dense.source else { return }
    result.winograd = Int32(winograd.side)
    result.winograd_tiles = Int32(winograd.tilesPerTask)
    result.inner = planes.count
    if let value = program.whole(planes), case .blocked = program[value].format {
      result.step = lanes
      result.window.inputs = laneOffsets(value)
    }
    let block = winograd.tilesPerTask * lanes
    result.offsets = memory.copy(
      (0..<planes.count).map { Int32($0 / lanes * block + $0 % lanes) })
  }

  /// The weights of the tiles. Packed files have those of the windows, so that they are the same whether or
  /// not a plan has tiles.
  func tileWeights(_ dense: DenseStep, _ product: PackedProduct) -> UnsafePointer<Float> {
    guard let winograd = dense.winograd, case .windows(let planes, _) = dense.source,
      !product.values.isEmpty
    else { return memory.place(product.values) }
    let blocks = (dense.rows.count + lanes - 1) / lanes
    let weights = memory.allocate(
      Float.self, blocks * winograd.places * planes.count * lanes)
    product.values.withUnsafeBufferPointer { values in
      mux_winograd_weights(
        Int32(winograd.side), Int32(lanes), planes.count, blocks, program.hasHalfBlock(dense),
        values.baseAddress, weights)
    }
    return UnsafePointer(weights)
  }
}
