// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// The entries of a dimension that an `int64` list names.
  public func select(_ dimension: Int, indices: Tensor) throws(TorchError) -> Tensor {
    try make { ct_index_select(handle, Int64(dimension), indices.handle, $0) }
  }

  /// Per element of `indices` (`int64`), the element of that number along the dimension.
  public func gather(_ dimension: Int, indices: Tensor) throws(TorchError) -> Tensor {
    try make { ct_gather(handle, Int64(dimension), indices.handle, $0) }
  }

  /// The elements where the mask (`bool`) holds, as a list.
  public func elements(where mask: Tensor) throws(TorchError) -> Tensor {
    try make { ct_masked_select(handle, mask.handle, $0) }
  }

  /// A copy with the elements where the mask (`bool`) holds set to a value.
  public func filled(where mask: Tensor, _ value: Double) throws(TorchError) -> Tensor {
    try make { ct_masked_fill(handle, mask.handle, value, $0) }
  }

  /// Elements of this tensor where the condition (`bool`) holds, else of the other.
  public func chosen(where condition: Tensor, else other: Tensor) throws(TorchError) -> Tensor {
    try make { ct_where(condition.handle, handle, other.handle, $0) }
  }

  /// Class numbers (`int64`) as rows of 0 and 1 (`int64`), in a new last dimension.
  public func oneHot(classes: Int) throws(TorchError) -> Tensor {
    try make { ct_one_hot(handle, Int64(classes), $0) }
  }
}
