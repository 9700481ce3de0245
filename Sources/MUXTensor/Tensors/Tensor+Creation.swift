// SPDX-License-Identifier: Apache-2.0
internal import CTorch

extension Tensor {
  /// A tensor in which every element has one value.
  public static func full(
    _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    var handle: ct_tensor?
    try withLayout(shape, dtype, device) { ct_full($0, value, &handle) }
    return try made(handle)
  }

  /// A tensor of zeros.
  public static func zeros(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try full(shape, 0, dtype: dtype, device: device)
  }

  /// A tensor of ones.
  public static func ones(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try full(shape, 1, dtype: dtype, device: device)
  }

  /// A tensor of arbitrary content, to be filled.
  public static func empty(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu,
    format: MemoryFormat = .contiguous
  ) throws(TorchError) -> Tensor {
    var handle: ct_tensor?
    try withLayout(shape, dtype, device) { ct_empty($0, format.rawValue, &handle) }
    return try made(handle)
  }

  /// The numbers of a range, as `int64` unless told otherwise.
  public static func range(
    _ range: Range<Int>, step: Int = 1, dtype: DType = .int64, device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    var handle: ct_tensor?
    try withLayout([], dtype, device) {
      ct_arange(Int64(range.lowerBound), Int64(range.upperBound), Int64(step), $0, &handle)
    }
    return try made(handle)
  }

  /// A copy of row-major elements.
  public convenience init<Element: TensorElement>(
    _ elements: [Element], shape: [Int], device: Device = .cpu
  ) throws(TorchError) {
    guard elements.count == shape.reduce(1, *) else {
      throw .elementCount(shape: shape, actual: elements.count)
    }
    var handle: ct_tensor?
    try withLayout(shape, Element.dtype, device) { layout in
      elements.withUnsafeBytes {
        ct_from_bytes($0.baseAddress, Int64($0.count), layout, &handle)
      }
    }
    self.init(handle: try Tensor.taken(handle))
  }

  /// A copy of a list of numbers, of rank 1.
  public convenience init<Element: TensorElement>(
    _ elements: [Element], device: Device = .cpu
  ) throws(TorchError) {
    try self.init(elements, shape: [elements.count], device: device)
  }

  /// A copy of row-major elements given as bytes in the machine's order.
  public convenience init(
    bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType, device: Device = .cpu
  ) throws(TorchError) {
    var handle: ct_tensor?
    try withLayout(shape, dtype, device) {
      ct_from_bytes(bytes.baseAddress, Int64(bytes.count), $0, &handle)
    }
    self.init(handle: try Tensor.taken(handle))
  }

  /// A tensor of rank 0.
  public convenience init(
    scalar: Double, dtype: DType = .float32, device: Device = .cpu
  ) throws(TorchError) {
    var handle: ct_tensor?
    try withLayout([], dtype, device) { ct_full($0, scalar, &handle) }
    self.init(handle: try Tensor.taken(handle))
  }

  /// A tensor of one value with this one's shape, element type, device and memory format.
  public func filled(_ value: Double) throws(TorchError) -> Tensor {
    try make { ct_full_like(handle, value, $0) }
  }

  private static func taken(_ handle: ct_tensor?) throws(TorchError) -> ct_tensor {
    guard let handle else { throw .operation("no result") }
    return handle
  }

  private static func made(_ handle: ct_tensor?) throws(TorchError) -> Tensor {
    Tensor(handle: try taken(handle))
  }
}

// MARK: Copies to the host

extension Tensor {
  /// The elements in row-major order. The Swift type must be the tensor's own element type.
  public func array<Element: TensorElement>(
    of type: Element.Type = Element.self
  ) throws(TorchError) -> [Element] {
    guard dtype == Element.dtype else {
      throw .elementType(expected: Element.dtype, actual: dtype)
    }
    var elements = [Element](repeating: Element.placeholder, count: count)
    let text = elements.withUnsafeMutableBytes {
      ct_to_bytes(handle, $0.baseAddress, Int64($0.count))
    }
    try succeed(text)
    return elements
  }

  /// The elements in row-major order, converted to single precision from any type.
  public func floats() throws(TorchError) -> [Float] {
    try to(.float32).array()
  }

  /// Copies the elements in row-major order; the buffer must be exactly as long as the tensor.
  public func copyBytes(to buffer: UnsafeMutableRawBufferPointer) throws(TorchError) {
    try succeed(ct_to_bytes(handle, buffer.baseAddress, Int64(buffer.count)))
  }

  /// The bytes of the elements in row-major order, in the machine's byte order.
  public func bytes() throws(TorchError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count * dtype.size)
    let text = bytes.withUnsafeMutableBytes {
      ct_to_bytes(handle, $0.baseAddress, Int64($0.count))
    }
    try succeed(text)
    return bytes
  }

  /// The value of a tensor of one element.
  public func item() throws(TorchError) -> Double {
    var value = 0.0
    try succeed(ct_item(handle, &value))
    return value
  }
}
