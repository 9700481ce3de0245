// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import MUXTensorTestSupport
import MUXTestSupport
import Testing

@Suite("Gradients summed over processes", .tags(.waits), .endsSometime)
struct GradientReducerTests {
  /// Parameters of several sizes, one of them not used, and a loss that has all others.
  struct Model {
    let parameters: [Tensor]

    init() throws {
      parameters = try [[3], [2, 2], [40], [2, 3, 1, 2]].map { shape in
        let count = shape.reduce(1, *)
        let tensor = try Tensor((0..<count).map { Float($0 + 1) / 10 }, shape: shape)
        return try (shape.count == 4 ? tensor.contiguous(.channelsLast) : tensor).setRequiresGrad()
      }
    }

    /// ∂/∂p of factor · Σ p² is 2 · factor · p.
    func loss(_ factor: Double) throws -> Tensor {
      try parameters[0].squared().sum() * factor + parameters[2].squared().sum() * factor
        + parameters[3].squared().sum() * factor
    }

    func gradients() throws -> [[Float]?] {
      try parameters.map { try $0.grad()?.contiguous().floats() }
    }
  }

  @Test(
    "Sums in buckets of any size, while backward goes on or after it; what has no gradient stays so",
    arguments: [(1, 1, true), (100, 100, true), (1 << 20, 25 << 20, true), (100, 100, false)])
  func sums(first: Int, others: Int, overlaps: Bool) throws {
    let results = try Ranks.all(2) { group in
      let model = try Model()
      let reducer = try GradientReducer(
        model.parameters, over: group, buckets: .init(first: first, others: others))
      var all: [[[Float]?]] = []
      for step in 1...2 {
        try ParameterList.zeroGradients(model.parameters)
        // Two passes add up; only the last is watched.
        try model.loss(Double(group.rank + step)).backward()
        try reducer.start(overlaps: overlaps)
        try model.loss(1).backward()
        try reducer.finish()
        all.append(try model.gradients())
      }
      return all
    }
    let values = try Model().parameters.map { try $0.contiguous().floats() }
    #expect(results[0] == results[1])
    for step in 1...2 {
      // Processes 0 and 1: step + (1 + step) and twice 1.
      let factor = Float(2 * (2 * step + 1 + 2))
      for (place, gradient) in results[0][step - 1].enumerated() {
        guard place != 1 else {
          #expect(gradient == nil)
          continue
        }
        let expected = values[place].map { $0 * factor }
        #expect(zip(try #require(gradient), expected).allSatisfy { abs($0 - $1) < 1e-4 })
      }
    }
  }

  @Test("Short gradients are sums to eight bits, the same everywhere")
  func short() throws {
    let results = try Ranks.all(2) { group in
      let model = try Model()
      let reducer = try GradientReducer(model.parameters, over: group, isShort: true)
      try reducer.start()
      try model.loss(Double(group.rank + 1)).backward()
      try reducer.finish()
      return try model.gradients()
    }
    #expect(results[0] == results[1])
    let values = try Model().parameters[2].floats()
    let sums = try #require(results[0][2])
    #expect(zip(sums, values).allSatisfy { abs($0 - 6 * $1) <= 6 * $1 / 128 })
    #expect(zip(sums, values).contains { $0 != 6 * $1 }, "they are short")
  }
}
