// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import Testing

@Suite struct TensorBasicsTests {
  @Test("host elements of every type come back as they went in")
  func roundTrip() throws {
    #expect(try Tensor([1.5, -2, 3] as [Float]).array(of: Float.self) == [1.5, -2, 3])
    #expect(try Tensor([1.5, -2, 3] as [Double]).array(of: Double.self) == [1.5, -2, 3])
    #expect(try Tensor([1 << 40, -1] as [Int64]).array(of: Int64.self) == [1 << 40, -1])
    #expect(try Tensor([7, -8] as [Int32]).array(of: Int32.self) == [7, -8])
    #expect(try Tensor([7, -8] as [Int16]).array(of: Int16.self) == [7, -8])
    #expect(try Tensor([7, -8] as [Int8]).array(of: Int8.self) == [7, -8])
    #expect(try Tensor([0, 255] as [UInt8]).array(of: UInt8.self) == [0, 255])
    #expect(try Tensor([true, false]).array(of: Bool.self) == [true, false])
    let empty = try Tensor([] as [Float], shape: [0, 3])
    #expect(empty.shape == [0, 3])
    #expect(try empty.array(of: Float.self).isEmpty)
  }

  @Test("element counts and types that do not fit are errors")
  func misfits() throws {
    #expect(throws: TorchError.elementCount(shape: [2, 2], actual: 3)) {
      try Tensor([1, 2, 3] as [Float], shape: [2, 2])
    }
    let tensor = try Tensor([1, 2] as [Float])
    #expect(throws: TorchError.elementType(expected: .int64, actual: .float32)) {
      try tensor.array(of: Int64.self)
    }
    let bytes: [UInt8] = [0, 0, 0]
    #expect(throws: TorchError.self) {
      try bytes.withUnsafeBytes { try Tensor(bytes: $0, shape: [1], dtype: .float32) }
    }
  }

  @Test("a C++ exception becomes a one-line Swift error")
  func exceptions() throws {
    let a = try Tensor.ones([2, 3])
    do {
      _ = try a.matmul(a)
      Issue.record("a product of 2×3 and 2×3 succeeded")
    } catch {
      let text = "\(error)"
      #expect(text.contains("cannot be multiplied (2x3 and 2x3)"))
      #expect(!text.contains("\n"))
    }
    #expect(throws: TorchError.self) { try a.reshape([7]) }
    #expect(throws: TorchError.self) { try a.narrow(0, start: 1, length: 5) }
    #expect(throws: TorchError.self) { try Tensor.full([-1], 0) }
    #expect(throws: TorchError.self) { try Tensor.cat([]) }
    #expect(throws: TorchError.self) { try a.transpose(0, 5) }
    #expect(throws: TorchError.self) { try a.conv2d(weight: a) }
    #expect(throws: TorchError.self) { try a.copyInPlace(from: Tensor.ones([3])) }
  }

  @Test("the loaded libtorch is the one compiled against")
  func version() throws {
    try TorchRuntime.check()
    let found = try TorchRuntime.runningVersion().split(separator: ".").prefix(2)
    #expect(found == TorchRuntime.compiledVersion.split(separator: ".").prefix(2))
    let text = TorchError.version(found: "2.9.0", needed: "2.13.0").description
    #expect(text == "libtorch 2.9.0 found, 2.13.0 needed: run scripts/setup and build again")
  }

  @Test("devices are parsed by name and missing ones are refused")
  func devices() throws {
    #expect(try Device(name: "cpu") == .cpu)
    #expect(try Device(name: "cuda") == .cuda(0))
    #expect(try Device(name: "cuda:3") == .cuda(3))
    #expect(try Device(name: "mps") == .mps)
    for name in ["gpu", "cuda:", "cuda:-1", "cuda:x", "CPU", ""] {
      #expect(throws: TorchError.unknownDevice(name)) { try Device(name: name) }
    }
    try Device.cpu.requireAvailable()
    let beyond = Device.cuda(99)
    #expect(throws: TorchError.self) { try beyond.requireAvailable() }
    #expect(throws: TorchError.self) { try Tensor.zeros([1], device: beyond) }
  }

  @Test("views share memory, copies do not")
  func views() throws {
    let a = try Tensor(Array(0..<24).map(Float.init), shape: [2, 3, 4])
    let narrow = try a.narrow(2, start: 1, length: 2)
    #expect(narrow.shape == [2, 3, 2])
    #expect(try narrow.strides() == [12, 4, 1])
    #expect(narrow.sharesMemory(with: a))
    #expect(try narrow.array(of: Float.self) == [1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22])
    try narrow.fillInPlace(-1)
    #expect(try a.sum().item() == Double((0..<24).reduce(0, +) - 138) - 12)
    #expect(try !a.clone().sharesMemory(with: a))
    #expect(try a.permute([2, 0, 1]).shape == [4, 2, 3])
    #expect(try a.transpose(-1, 0).shape == [4, 3, 2])
    #expect(try a.flatten(from: 1).shape == [2, 12])
    #expect(try a.unsqueeze(1).shape == [2, 1, 3, 4])
    #expect(try a.unsqueeze(1).squeeze(1).shape == [2, 3, 4])
    #expect(try a.select(1, 2).shape == [2, 4])
    #expect(
      try a.slice(2, 0..<9, step: 3).array(of: Float.self) == [
        0, 3, 4, 7, 8, 11, 12, 15, 16, 19, 20, 23,
      ])
    #expect(a.size(-1) == 4)
  }

  @Test("lists are joined and split")
  func lists() throws {
    let a = try Tensor([1, 2] as [Float], shape: [1, 2])
    let b = try Tensor([3, 4, 5, 6] as [Float], shape: [2, 2])
    let joined = try Tensor.cat([a, b])
    #expect(try joined.array(of: Float.self) == [1, 2, 3, 4, 5, 6])
    let parts = try joined.split([2, 1], dimension: 0)
    #expect(parts.map(\.shape) == [[2, 2], [1, 2]])
    #expect(try parts[1].array(of: Float.self) == [5, 6])
    #expect(throws: TorchError.self) { try joined.split([2, 2], dimension: 0) }
    #expect(try Tensor.stack([a, a], dimension: 1).shape == [1, 2, 2])
    #expect(try b.flip([1]).array(of: Float.self) == [4, 3, 6, 5])
    #expect(try a.pad(left: 1, bottom: 1, value: 9).array(of: Float.self) == [9, 1, 2, 9, 9, 9])
  }

  @Test("conversion of type keeps values, of format keeps meaning")
  func conversions() throws {
    let a = try Tensor([1.5, -2.5, 300] as [Float])
    #expect(try a.to(.int32).array(of: Int32.self) == [1, -2, 300])
    #expect(try a.to(.bfloat16).floats() == [1.5, -2.5, 300])
    #expect(try a.to(.float32).sharesMemory(with: a))
    #expect(try a.to(.float64).dtype == .float64)
    let image = try Tensor(Array(0..<12).map(Float.init), shape: [1, 3, 2, 2])
    let last = try image.contiguous(.channelsLast)
    #expect(last.isContiguous(.channelsLast) && !last.isContiguous())
    #expect(try last.strides() == [12, 1, 6, 3])
    #expect(try last.array(of: Float.self) == image.array(of: Float.self))
    for dtype in DType.allCases { #expect(DType(name: dtype.description) == dtype) }
    #expect(DType(name: "half") == nil)
  }

  @Test("indexing picks, masks and expands")
  func indexing() throws {
    let a = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    #expect(
      try a.select(1, indices: Tensor([2, 0] as [Int64])).array(of: Float.self) == [3, 1, 6, 4])
    let where_ = try Tensor([1, 0] as [Int64], shape: [2, 1])
    #expect(try a.gather(1, indices: where_).array(of: Float.self) == [2, 4])
    let mask = try a.isGreater(than: 4)
    #expect(try a.elements(where: mask).array(of: Float.self) == [5, 6])
    #expect(try a.filled(where: mask, 0).sum().item() == 10)
    #expect(
      try a.chosen(where: mask, else: a.negated()).array(of: Float.self) == [-1, -2, -3, -4, 5, 6])
    let rows = try Tensor([2, 0] as [Int64]).oneHot(classes: 3)
    #expect(try rows.array(of: Int64.self) == [0, 0, 1, 1, 0, 0])
  }
}
