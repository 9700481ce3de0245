// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTensor
import MUXTraining
import Testing

/// `tools/optimizer_fixture.py` writes the file: PyTorch's own optimizers, in double precision.
struct OptimizerFixture: Decodable {
  struct Case: Decodable, CustomTestStringConvertible {
    var name: String
    var settings: OptimizerConfiguration
    var rates: [Double]
    var expected: [[[Double]]]
    var testDescription: String { name }
  }

  var shapes: [[Int]]
  var weights: [[Double]]
  var gradients: [[[Double]]]
  var cases: [Case]

  static let shared: OptimizerFixture? = {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/optimizers.json")
    return (try? Data(contentsOf: url)).flatMap {
      try? JSONDecoder().decode(OptimizerFixture.self, from: $0)
    }
  }()

  func makeParameters() throws -> [NamedTensor] {
    try zip(weights, shapes).enumerated().map { index, entry in
      let tensor = try Tensor(entry.0, shape: entry.1)
      try tensor.setRequiresGrad()
      return NamedTensor(name: "layer\(index)", tensor: tensor)
    }
  }

  func setGradients(step: Int, of parameters: [NamedTensor]) throws {
    for (index, parameter) in parameters.enumerated() {
      try parameter.tensor.setGrad(Tensor(gradients[step][index], shape: shapes[index]))
    }
  }
}

@Suite struct OptimizerTests {
  @Test("the fixture has a case for each update rule")
  func fixture() throws {
    let fixture = try #require(OptimizerFixture.shared)
    #expect(
      Set(fixture.cases.map(\.settings.kind)) == Set(OptimizerConfiguration.Kind.allCases))
  }

  @Test(
    "five updates at changing rates give PyTorch's weights",
    arguments: OptimizerFixture.shared?.cases ?? [])
  func updates(entry: OptimizerFixture.Case) throws {
    let fixture = try #require(OptimizerFixture.shared)
    let parameters = try fixture.makeParameters()
    let optimizer = try entry.settings.makeOptimizer(parameters)
    for (step, rate) in entry.rates.enumerated() {
      try fixture.setGradients(step: step, of: parameters)
      try optimizer.step(learningRate: rate)
      for (index, parameter) in parameters.enumerated() {
        let actual = try parameter.tensor.detach().array(of: Double.self)
        for (a, b) in zip(actual, entry.expected[step][index]) {
          #expect(abs(a - b) < 1e-8, "step \(step), \(parameter.name): \(a), expected \(b)")
        }
      }
    }
    #expect(optimizer.updates == 5)
  }

  @Test(
    "an optimizer whose buffers are copied goes on as the original",
    arguments: OptimizerFixture.shared?.cases ?? [])
  func resume(entry: OptimizerFixture.Case) throws {
    let fixture = try #require(OptimizerFixture.shared)
    let parameters = try fixture.makeParameters()
    let optimizer = try entry.settings.makeOptimizer(parameters)
    for step in 0..<3 {
      try fixture.setGradients(step: step, of: parameters)
      try optimizer.step(learningRate: entry.rates[step])
    }
    let copies = try parameters.map {
      NamedTensor(name: $0.name, tensor: try $0.tensor.detach().clone().setRequiresGrad())
    }
    let second = try entry.settings.makeOptimizer(copies)
    second.updates = optimizer.updates
    #expect(second.buffers.map(\.name) == optimizer.buffers.map(\.name))
    for (to, from) in zip(second.buffers, optimizer.buffers) {
      try to.tensor.copyInPlace(from: from.tensor)
    }
    for step in 3..<5 {
      for list in [parameters, copies] { try fixture.setGradients(step: step, of: list) }
      try optimizer.step(learningRate: entry.rates[step])
      try second.step(learningRate: entry.rates[step])
    }
    for (a, b) in zip(parameters, copies) {
      #expect(
        try a.tensor.detach().array(of: Double.self) == b.tensor.detach().array(of: Double.self))
    }
  }

  @Test("a moving average with a ramp follows parameters and statistics, and copies counters")
  func movingAverage() throws {
    var configuration = AveragingConfiguration()
    configuration.decay = 0.5
    configuration.ramps = true
    let weight = try Tensor([1.0, 2.0])
    let count = try Tensor([Int64(3)])
    let averagedWeight = try Tensor([0.0, 0.0])
    let averagedCount = try Tensor([Int64(0)])
    let average = try MovingAverage(
      [averagedWeight, averagedCount], of: [weight, count], configuration: configuration)
    #expect(try averagedWeight.array() == [1.0, 2.0])
    try weight.fillInPlace(11)
    try count.fillInPlace(4)
    try average.update()  // decay min(0.5, 1/10): 0.1 · 1 + 0.9 · 11 and 0.1 · 2 + 0.9 · 11
    let first: [Double] = try averagedWeight.array()
    #expect(abs(first[0] - 10) < 1e-12 && abs(first[1] - 10.1) < 1e-12)
    #expect(try averagedCount.array() == [Int64(4)])
    average.updates = 1000
    try weight.fillInPlace(0)
    try average.update()  // decay 0.5
    let second: [Double] = try averagedWeight.array()
    #expect(abs(second[0] - 5) < 1e-12 && abs(second[1] - 5.05) < 1e-12)
    #expect(average.updates == 1001)
  }
}
