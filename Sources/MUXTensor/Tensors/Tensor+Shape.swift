// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// The same elements in another shape; one size may be −1. A view where possible.
  public func reshape(_ shape: [Int]) throws(TorchError) -> Tensor {
    try make { out in withSizes(shape) { ct_reshape(handle, $0, $1, out) } }
  }

  /// A view that repeats dimensions of size 1; −1 keeps a size.
  public func expand(_ shape: [Int]) throws(TorchError) -> Tensor {
    try make { out in withSizes(shape) { ct_expand(handle, $0, $1, out) } }
  }

  /// A view with the dimensions in another order.
  public func permute(_ order: [Int]) throws(TorchError) -> Tensor {
    try make { out in withSizes(order) { ct_permute(handle, $0, $1, out) } }
  }

  /// A view with two dimensions swapped.
  public func transpose(_ first: Int, _ second: Int) throws(TorchError) -> Tensor {
    let rank = rank
    var order = Array(0..<rank)
    let a = first < 0 ? first + rank : first
    let b = second < 0 ? second + rank : second
    guard order.indices.contains(a), order.indices.contains(b) else {
      throw .operation("no dimensions \(first) and \(second) in a tensor of rank \(rank)")
    }
    order.swapAt(a, b)
    return try permute(order)
  }

  /// Merges the dimensions from `start` to `end` (both included) into one.
  public func flatten(from start: Int = 0, to end: Int = -1) throws(TorchError) -> Tensor {
    try make { ct_flatten(handle, Int64(start), Int64(end), $0) }
  }

  /// A view with a new dimension of size 1.
  public func unsqueeze(_ dimension: Int) throws(TorchError) -> Tensor {
    try make { ct_unsqueeze(handle, Int64(dimension), $0) }
  }

  /// A view without the dimension, if its size is 1.
  public func squeeze(_ dimension: Int) throws(TorchError) -> Tensor {
    try make { ct_squeeze(handle, Int64(dimension), $0) }
  }

  /// A copy with the order of some dimensions reversed.
  public func flip(_ dimensions: [Int]) throws(TorchError) -> Tensor {
    try make { out in withSizes(dimensions) { ct_flip(handle, $0, $1, out) } }
  }

  /// A view of `length` entries of a dimension from `start` on.
  public func narrow(
    _ dimension: Int, start: Int, length: Int
  ) throws(TorchError) -> Tensor {
    try make { ct_narrow(handle, Int64(dimension), Int64(start), Int64(length), $0) }
  }

  /// A view of one entry of a dimension, which disappears.
  public func select(_ dimension: Int, _ index: Int) throws(TorchError) -> Tensor {
    try make { ct_select(handle, Int64(dimension), Int64(index), $0) }
  }

  /// A view of every `step`-th entry of a range; bounds beyond the size are cut off.
  public func slice(
    _ dimension: Int, _ range: Range<Int>, step: Int = 1
  ) throws(TorchError) -> Tensor {
    try make {
      ct_slice(
        handle, Int64(dimension), Int64(range.lowerBound), Int64(range.upperBound), Int64(step), $0)
    }
  }

  /// Views of consecutive parts of a dimension; the sizes must add up to the whole.
  public func split(_ sizes: [Int], dimension: Int) throws(TorchError) -> [Tensor] {
    var handles = [ct_tensor?](repeating: nil, count: sizes.count)
    let text = withSizes(sizes) { ct_split(handle, $0, $1, Int64(dimension), &handles) }
    try succeed(text)
    return handles.compactMap { $0.map { Tensor(handle: $0) } }
  }

  /// The tensors one after the other along a dimension.
  public static func cat(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
    try make { out in withHandles(tensors) { ct_cat($0, $1, Int64(dimension), out) } }
  }

  /// Tensors of one shape along a new dimension.
  public static func stack(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
    try make { out in withHandles(tensors) { ct_stack($0, $1, Int64(dimension), out) } }
  }

  /// Adds rows and columns of a value around the last two dimensions (or cuts off, where negative).
  public func pad(
    left: Int = 0, right: Int = 0, top: Int = 0, bottom: Int = 0, value: Double = 0
  ) throws(TorchError) -> Tensor {
    try make { out in
      withSizes([left, right, top, bottom]) { ct_pad(handle, $0, $1, value, out) }
    }
  }

  /// The elements in the given order in memory: the tensor itself where they are.
  public func contiguous(_ format: MemoryFormat = .contiguous) throws(TorchError) -> Tensor {
    try make { ct_contiguous(handle, format.rawValue, $0) }
  }

  /// A copy with its own memory, in the same format.
  public func clone() throws(TorchError) -> Tensor {
    try make { ct_clone(handle, $0) }
  }

  /// The elements converted to another type; no copy where they are of it.
  public func to(_ dtype: DType) throws(TorchError) -> Tensor {
    try make { ct_to_dtype(handle, dtype.rawValue, $0) }
  }

  /// The tensor on another device; no copy where it is there.
  public func to(_ device: Device) throws(TorchError) -> Tensor {
    if device != .cpu { try device.requireAvailable() }
    return try make { ct_to_device(handle, device.kind, Int32(device.index), $0) }
  }
}
