// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import Testing

@Suite struct AutogradTests {
  @Test("gradients accumulate at leaves and can be taken without accumulating")
  func gradients() throws {
    let x = try Tensor([1, 2, 3] as [Float]).setRequiresGrad()
    #expect(x.requiresGrad && x.isLeaf)
    try x.squared().sum().backward()
    #expect(try #require(try x.grad()).array(of: Float.self) == [2, 4, 6])
    try x.sum().backward()
    #expect(try #require(try x.grad()).array(of: Float.self) == [3, 5, 7])
    try x.setGrad(nil)
    #expect(try x.grad() == nil)
    let y = try x * x
    try y.backward(Tensor([1, 0, 10] as [Float]))
    #expect(try #require(try x.grad()).array(of: Float.self) == [2, 0, 60])
    let other = try Tensor.ones([1]).setRequiresGrad()
    let found = try Tensor.gradients(of: [x.power(3).sum()], with: [x, other])
    #expect(try #require(found[0]).array(of: Float.self) == [3, 12, 27])
    #expect(found[1] == nil)
    #expect(try #require(try x.grad()).array(of: Float.self) == [2, 0, 60])
    #expect(throws: TorchError.self) { try x.setGrad(Tensor.ones([2])) }
    #expect(throws: TorchError.self) { try y.sum().backward() }
    #expect(throws: TorchError.self) { try x.addInPlace(1) }
  }

  @Test("nothing is recorded inside withoutGradient, also after a throw")
  func modes() throws {
    let x = try Tensor.ones([2]).setRequiresGrad()
    let (inside, on) = try withoutGradient { () throws(TorchError) in (try x + 1, isGradientEnabled)
    }
    #expect(!inside.requiresGrad && !on && isGradientEnabled)
    struct Stop: Error {}
    #expect(throws: Stop.self) { try withoutGradient { () throws(Stop) in throw Stop() } }
    #expect(isGradientEnabled)
    #expect(try !x.detach().requiresGrad)
    #expect(try x.detach().sharesMemory(with: x))
    #expect(
      try withoutGradient { () throws(TorchError) in
        try withGradient(true) { () throws(TorchError) in try x + 1 }
      }.requiresGrad)
  }

  @Test("autocast computes products in the short type and ends with its scope")
  func autocast() throws {
    let a = try Tensor.ones([4, 4]).setRequiresGrad()
    let product = try withAutocast(.cpu) { () throws(TorchError) in try a.matmul(a) }
    #expect(product.dtype == .bfloat16)
    try product.sum().backward()
    #expect(try #require(try a.grad()).dtype == .float32)
    #expect(try a.matmul(a).dtype == .float32)
    #expect(
      try withAutocast(.cpu, nil) { () throws(TorchError) in try a.matmul(a) }.dtype == .float32)
    #expect(throws: TorchError.self) {
      try withAutocast(.cpu) { () throws(TorchError) in try a.reshape([3]) }
    }
    #expect(try a.matmul(a).dtype == .float32)
  }
}
