// SPDX-License-Identifier: Apache-2.0
package import CTorch

/// An n-dimensional array of libtorch, on any device and of any element type.
///
/// A `Tensor` is a reference: methods whose name ends in `InPlace` (and optimizer steps) change
/// what every holder of it sees. It stays on the thread that made it unless it is handed over, so
/// it is not `Sendable`. Every operation that libtorch can refuse throws ``TorchError``.
public final class Tensor {
  /// The shim's handle, valid as long as the tensor lives.
  package let handle: ct_tensor

  /// Takes over a handle that the shim made.
  package init(handle: ct_tensor) {
    self.handle = handle
  }

  deinit { ct_release(handle) }

  /// The number of dimensions; 0 for a scalar.
  public var rank: Int { Int(ct_dimensions(handle)) }

  /// The sizes, outermost first.
  public var shape: [Int] { (0..<ct_dimensions(handle)).map { Int(ct_size(handle, $0)) } }

  /// The number of elements: the product of the shape, 1 for a scalar.
  public var count: Int { Int(ct_elements(handle)) }

  /// The size of one dimension; negative ones count from the end.
  public func size(_ dimension: Int) -> Int {
    let rank = rank
    precondition((-rank..<rank).contains(dimension), "no dimension \(dimension) in rank \(rank)")
    return Int(ct_size(handle, Int64(dimension < 0 ? dimension + rank : dimension)))
  }

  /// Elements between neighbours along each dimension.
  public func strides() throws(TorchError) -> [Int] {
    var strides = [Int64](repeating: 0, count: rank)
    try succeed(ct_strides(handle, &strides))
    return strides.map { Int($0) }
  }

  /// The type of the elements.
  public var dtype: DType { DType(rawValue: ct_dtype(handle)) ?? .float32 }

  /// Where the tensor lives.
  public var device: Device {
    Device(kind: ct_device_kind(handle), index: ct_device_index(handle))
  }

  /// Whether the elements lie in the given order without gaps.
  public func isContiguous(_ format: MemoryFormat = .contiguous) -> Bool {
    ct_is_contiguous(handle, format.rawValue)
  }

  /// Whether both tensors are views of the same memory.
  package func sharesMemory(with other: Tensor) -> Bool { ct_shares_memory(handle, other.handle) }
}

@available(*, unavailable)
extension Tensor: Sendable {}

extension Tensor: CustomStringConvertible {
  /// Element type, shape and device: `float32[2, 3, 64, 64] cpu`.
  public var description: String { "\(dtype)\(shape) \(device)" }
}

/// The order of the elements of a tensor in memory.
public enum MemoryFormat: Int32, Sendable {
  /// The last dimension varies fastest (`[N, C, H, W]` in that order).
  case contiguous = 1
  /// `[N, C, H, W]` by size, but the channels vary fastest. Much faster for convolutions on CPUs.
  case channelsLast = 2
}
