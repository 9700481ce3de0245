// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

@Suite("Plans as files for programs without Swift")
struct PlanSnapshotTests {
  private func network() throws -> Network {
    var builder = NetworkBuilder(name: "small", inputChannels: 3, inputSize: ImageSize(6))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, padding: 1)
    x = builder.activation(x, "act", .relu)
    _ = builder.convolution(x, "project", outputChannels: 5, hasBias: true)
    return try builder.build()
  }

  private func plan(isGuarded: Bool) throws -> InferencePlan {
    let network = try network()
    return try InferencePlan(
      network, weights: RandomWeights.archive(network, seed: 3), inputSize: nil,
      instructionSet: .generic, isGuarded: isGuarded)
  }

  @Test("Steps, their addresses, the image and its result are in it, and nothing else")
  func whole() throws {
    let plan = try plan(isGuarded: false)
    let input = pixels(plan.inputShape.count, seed: 5)
    let output = try InferenceEngine(plan).run(input)
    let bytes = try #require(plan.snapshot(input: input, output: output))
    #expect(bytes.starts(with: "MUXPLAN1".utf8))

    func number(_ index: Int, from start: Int = 8) -> Int {
      bytes.withUnsafeBytes {
        Int($0.loadUnaligned(fromByteOffset: start + 8 * index, as: Int64.self))
      }
    }
    let regions = number(0), addresses = number(1)
    let sizes = (0..<regions).map { number(10 + $0) }
    #expect(number(2) == plan.steps.count)
    #expect(number(6) == input.count && number(8) == output.count)
    #expect(number(9) == plan.instructionSet.lanes)
    // Of each step its structure, and of that weights, bias and offsets.
    #expect(addresses >= 4 * plan.steps.count)

    var start = 8 * (11 + regions)
    for size in sizes { start = (start + 63) / 64 * 64 + size }
    start = (start + 63) / 64 * 64
    for index in 0..<addresses {
      let place = (0..<4).map { number(4 * index + $0, from: start) }
      #expect(place[1] + 8 <= sizes[place[0]] && place[3] < sizes[place[2]])
    }
    let values = (input + output).flatMap { value in
      withUnsafeBytes(of: value.bitPattern.littleEndian, Array.init)
    }
    #expect(bytes.count == start + 32 * addresses + values.count)
    #expect(bytes.suffix(values.count).elementsEqual(values))
  }

  @Test("Plans whose memory is guarded have none")
  func guarded() throws {
    let plan = try plan(isGuarded: true)
    #expect(plan.snapshot(input: [], output: []) == nil)
  }
}
