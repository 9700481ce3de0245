// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTensor
import Testing

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct MemoryTests {
  /// Kilobytes of this process that are in memory.
  static func resident() -> Int? {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
      let pages = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
    else { return nil }
    return pages * 4
  }

  @Test(
    "a thousand train-like steps leak nothing",
    .enabled(if: MemoryTests.resident() != nil, "needs /proc/self/statm"))
  func steps() async {
    // In a process of its own: other tests, which run at the same time, allocate too.
    await #expect(processExitsWith: .success) { try Self.trainThousandSteps() }
  }

  /// Runs the steps; throws where the memory grows, the loss does not fall, or an error is missed.
  static func trainThousandSteps() throws {
    let generator = try TorchGenerator(seed: 1)
    let weight = try (generator.normal([16, 8, 3, 3]) * 0.1).setRequiresGrad()
    let head = try (generator.normal([10, 16]) * 0.1).setRequiresGrad()
    let parameters = [weight, head]
    let momenta = try parameters.map { try $0.detach().filled(0) }
    var losses: [Double] = []

    func step(_ index: Int) throws {
      // 64 kB of input: a thousand kept ones would be 64 MB, and their features twice that.
      let x = try generator.normal([8, 8, 16, 16]).contiguous(.channelsLast)
      let target = try Tensor((0..<8).map { Int64($0) })
      let features = try x.conv2d(weight: weight, padding: (1, 1)).silu()
      let logits = try features.adaptiveAvgPool2d().flatten(from: 1).linear(weight: head)
      let loss = try logits.crossEntropy(target, smoothing: 0.1)
      try ParameterList.zeroGradients(parameters)
      try loss.backward()
      _ = try ParameterList.clipGradients(parameters, norm: 1)
      try ParameterList.stepSGD(
        parameters, momenta: momenta, rate: 0.1, momentum: 0.9, first: index == 0)
      losses.append(try loss.item())
      // Errors must not leak either.
      do {
        _ = try logits.reshape([3])
        throw Failure(reason: "a wrong reshape went through")
      } catch is TorchError {}
    }

    for index in 0..<100 { try step(index) }
    let before = resident() ?? 0
    for index in 100..<1100 { try step(index) }
    let growth = (resident() ?? .max) - before
    guard growth < 16 << 10 else { throw Failure(reason: "grew by \(growth) kB") }
    guard losses.suffix(100).reduce(0, +) < losses.prefix(100).reduce(0, +) else {
      throw Failure(reason: "the loss does not fall")
    }
  }

  /// Why the steps fail.
  struct Failure: Error {
    let reason: String
  }
}
