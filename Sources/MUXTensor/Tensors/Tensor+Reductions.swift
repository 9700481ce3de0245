// SPDX-License-Identifier: Apache-2.0
internal import CTorch

// Without dimensions, a reduction goes over all of them and gives a tensor of rank 0.
extension Tensor {
  /// Sums over the dimensions, all of them if none are given; `keep` leaves them with size 1.
  public func sum(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
    try reduce(CT_SUM, dimensions, keep)
  }

  /// Means over the dimensions, all of them if none are given; `keep` leaves them with size 1.
  public func mean(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
    try reduce(CT_MEAN, dimensions, keep)
  }

  /// Largest elements.
  public func max(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
    try reduce(CT_AMAX, dimensions, keep)
  }

  /// Smallest elements.
  public func min(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
    try reduce(CT_AMIN, dimensions, keep)
  }

  /// Logarithms of the sums of exponentials.
  public func logSumExp(_ dimensions: [Int], keep: Bool = false) throws(TorchError) -> Tensor {
    try reduce(CT_LOGSUMEXP, dimensions, keep)
  }

  /// Euclidean norms.
  public func norm(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
    try reduce(CT_NORM, dimensions, keep)
  }

  /// Variances with the divisor n − correction (1: the unbiased estimate).
  public func variance(
    _ dimensions: [Int] = [], correction: Double = 1, keep: Bool = false
  ) throws(TorchError) -> Tensor {
    try make { out in
      withSizes(dimensions) { ct_variance(handle, $0, $1, correction, keep, out) }
    }
  }

  /// Where along a dimension the largest element is, as `int64`.
  public func argmax(_ dimension: Int) throws(TorchError) -> Tensor {
    try make { ct_argmax(handle, Int64(dimension), $0) }
  }

  /// The largest (or smallest) elements along a dimension, in order, and where they are (`int64`).
  public func top(
    _ count: Int, dimension: Int = -1, largest: Bool = true
  ) throws(TorchError) -> (values: Tensor, indices: Tensor) {
    var indices: ct_tensor?
    let values = try make { ct_topk(handle, Int64(count), Int64(dimension), largest, $0, &indices) }
    guard let indices else { throw .operation("no result") }
    return (values, Tensor(handle: indices))
  }

  /// The elements in order along a dimension (ties keep theirs), and where they were (`int64`).
  public func sorted(
    _ dimension: Int = -1, descending: Bool = false
  ) throws(TorchError) -> (values: Tensor, indices: Tensor) {
    var indices: ct_tensor?
    let values = try make { ct_sort(handle, Int64(dimension), descending, $0, &indices) }
    guard let indices else { throw .operation("no result") }
    return (values, Tensor(handle: indices))
  }

  /// The matrix product (batched over leading dimensions).
  public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
    try make { ct_matmul(handle, other.handle, $0) }
  }

  private func reduce(
    _ operation: ct_reduction_operation, _ dimensions: [Int], _ keep: Bool
  ) throws(TorchError) -> Tensor {
    try make { out in
      withSizes(dimensions) { ct_reduce(Int32(operation.rawValue), handle, $0, $1, keep, out) }
    }
  }
}
