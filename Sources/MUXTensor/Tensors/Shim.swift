// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Throws the error text of a shim function, if there is one.
@inline(__always)
func succeed(_ text: ct_error?) throws(TorchError) {
  guard let text else { return }
  defer { ct_free_text(text) }
  // libtorch's messages have several lines; ours have one.
  let lines = String(cString: text).split(whereSeparator: \.isNewline)
  throw .operation(lines.joined(separator: " "))
}

/// The tensor that a shim function makes.
@inline(__always)
func make(_ body: (UnsafeMutablePointer<ct_tensor?>) -> ct_error?) throws(TorchError) -> Tensor {
  var handle: ct_tensor?
  try succeed(body(&handle))
  guard let handle else { throw .operation("no result") }
  return Tensor(handle: handle)
}

/// Runs the body with sizes as C sees them (`Int` has 64 bits on every platform of libtorch).
@inline(__always)
func withSizes<Result>(
  _ sizes: [Int], _ body: (UnsafePointer<Int64>?, Int32) -> Result
) -> Result {
  sizes.withUnsafeBufferPointer { buffer in
    buffer.withMemoryRebound(to: Int64.self) { body($0.baseAddress, Int32($0.count)) }
  }
}

/// Runs the body with a list of handles; the tensors live until it returns.
@inline(__always)
func withHandles<Result>(
  _ tensors: [Tensor], _ body: (UnsafePointer<ct_tensor?>?, Int32) -> Result
) -> Result {
  withExtendedLifetime(tensors) {
    let handles: [ct_tensor?] = tensors.map(\.handle)
    return handles.withUnsafeBufferPointer { body($0.baseAddress, Int32($0.count)) }
  }
}

/// Runs the body with the layout of a new tensor, after the check that libtorch is the right one.
@inline(__always)
func withLayout(
  _ shape: [Int], _ dtype: DType, _ device: Device, _ body: (ct_layout) -> ct_error?
) throws(TorchError) {
  try TorchRuntime.check()
  if device != .cpu { try device.requireAvailable() }
  let text = withSizes(shape) { sizes, count in
    body(
      ct_layout(
        sizes: sizes, dimensions: count, dtype: dtype.rawValue, device_kind: device.kind,
        device_index: Int32(device.index)))
  }
  try succeed(text)
}
