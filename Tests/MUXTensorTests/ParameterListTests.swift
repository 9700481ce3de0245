// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import Testing

@Suite struct ParameterListTests {
  /// A parameter of one number with that gradient, and one without any.
  func parameters(_ value: Float, _ gradient: Float) throws -> [Tensor] {
    let list = [try Tensor([value]).setRequiresGrad(), try Tensor([value]).setRequiresGrad()]
    try list[0].setGrad(Tensor([gradient]))
    return list
  }

  func buffers(_ value: Double = 0) throws -> [Tensor] {
    [try Tensor.full([1], value), try Tensor.full([1], value)]
  }

  @Test("SGD: momentum, dampening, Nesterov and decay over two steps")
  func sgd() throws {
    let list = try parameters(1, 2)
    let momenta = try buffers()
    try ParameterList.stepSGD(
      list, momenta: momenta, rate: 0.1, momentum: 0.9, decay: 0.5, first: true)
    // Gradient 2 + 0.5 · 1 = 2.5; buffer 2.5; 1 − 0.25.
    #expect(abs(try list[0].item() - 0.75) < 1e-6)
    try ParameterList.stepSGD(
      list, momenta: momenta, rate: 0.1, momentum: 0.9, decay: 0.5, first: false)
    // Gradient 2.375; buffer 2.25 + 2.375 = 4.625.
    #expect(abs(try list[0].item() - 0.2875) < 1e-6)
    #expect(try list[1].item() == 1, "a parameter without gradient stays")
    let nesterov = try parameters(1, 2)
    try ParameterList.stepSGD(
      nesterov, momenta: buffers(), rate: 0.1, momentum: 0.5, nesterov: true, first: true)
    #expect(abs(try nesterov[0].item() - 0.7) < 1e-6)
    #expect(throws: TorchError.listLength("momentum buffers", expected: 2, actual: 0)) {
      try ParameterList.stepSGD(list, momenta: [], rate: 0.1, momentum: 0.9, first: true)
    }
  }

  @Test("RMSProp in both forms")
  func rmsprop() throws {
    let torch = try parameters(1, 2)
    let squares = try buffers()
    try ParameterList.stepRMSProp(
      torch, squares: squares, momenta: buffers(), rate: 0.1, alpha: 0.75, epsilon: 1,
      momentum: 0.5, tensorflow: false)
    // Square 0.25 · 4 = 1, root 1 + 1; 1 − 0.1 · 2 / 2.
    #expect(abs(try torch[0].item() - 0.9) < 1e-6)
    let tensorflow = try parameters(1, 2)
    let ones = try buffers(1)
    let momenta = try buffers()
    for _ in 0..<2 {
      try ParameterList.stepRMSProp(
        tensorflow, squares: ones, momenta: momenta, rate: 0.1, alpha: 0.5, epsilon: 0.5,
        momentum: 0.5, tensorflow: true)
    }
    // Squares 2.5 then 3.25; steps 0.2 / √3 and half of it + 0.2 / √3.75.
    let first = 0.2 / 3.0.squareRoot()
    let second = first / 2 + 0.2 / 3.75.squareRoot()
    #expect(abs(try tensorflow[0].item() - (1 - first - second)) < 1e-6)
    let decayed = try parameters(1, 0)
    try ParameterList.stepRMSProp(
      decayed, squares: buffers(1), momenta: [], rate: 0.1, alpha: 0.5, epsilon: 0, decay: 0.5,
      decoupled: true, tensorflow: true)
    #expect(abs(try decayed[0].item() - 0.95) < 1e-6)
  }

  @Test("AdamW: bias correction and decoupled decay over two steps")
  func adamw() throws {
    let list = try parameters(1, 2)
    let averages = try buffers()
    let squares = try buffers()
    // With a constant gradient both corrected averages are exact, so each step is the rate.
    for step in 1...2 {
      try ParameterList.stepAdamW(
        list, averages: averages, squares: squares, step: step, rate: 0.1, epsilon: 0, decay: 0.5)
    }
    #expect(abs(try list[0].item() - ((1 * 0.95 - 0.1) * 0.95 - 0.1)) < 1e-6)
  }

  @Test("moving averages move by the weight, counters are copied")
  func averages() throws {
    let targets = [try Tensor([1] as [Float]), try Tensor([3] as [Int64])]
    let sources = [try Tensor([2] as [Float]), try Tensor([9] as [Int64])]
    try ParameterList.lerp(targets, towards: sources, weight: 0.25)
    #expect(try targets[0].item() == 1.25)
    #expect(try targets[1].item() == 9)
  }

  @Test("clipping scales by the norm of all gradients, and leaves a bad norm to the caller")
  func clipping() throws {
    let list = [try Tensor.zeros([2]).setRequiresGrad(), try Tensor.zeros([1]).setRequiresGrad()]
    try list[0].setGrad(Tensor([3, 0] as [Float]))
    try list[1].setGrad(Tensor([4] as [Float]))
    #expect(abs(try ParameterList.clipGradients(list, norm: 10) - 5) < 1e-6)
    #expect(try #require(try list[1].grad()).item() == 4)
    #expect(abs(try ParameterList.clipGradients(list, norm: 1) - 5) < 1e-6)
    #expect(abs(try #require(try list[1].grad()).item() - 0.8) < 1e-5)
    try ParameterList.scaleGradients(list, by: 10)
    #expect(abs(try #require(try list[0].grad()).max().item() - 6) < 1e-4)
    #expect(try ParameterList.gradientsAreFinite(list))
    try list[1].setGrad(Tensor([Float.nan]))
    #expect(try ParameterList.clipGradients(list, norm: 1).isNaN)
    #expect(try !ParameterList.gradientsAreFinite(list))
    try ParameterList.zeroGradients(list, remove: false)
    #expect(try #require(try list[1].grad()).item() == 0)
    try ParameterList.zeroGradients(list)
    #expect(try list[0].grad() == nil)
    #expect(try ParameterList.clipGradients([], norm: 1) == 0)
  }
}
