// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
import MUXPaper
import Testing

@Suite("The ablation of figure 8")
struct AblationTests {
  @Test("Gains have the mean, an interval around it and the exact chance of the sign-flip test")
  func gains() throws {
    let all = try #require(PairedGain([1, 2, 3, 4, 5]))
    #expect(all.mean == 3 && all.probability == 1.0 / 32)
    #expect(
      all.interval.contains(3) && all.interval.lowerBound > 1.5 && all.interval.upperBound < 4.5)
    // Of eight ways +++, ++− … the sums at least as large as 2 − 1 + 3 = 4: 6, 4.
    let mixed = try #require(PairedGain([2, -1, 3]))
    #expect(mixed.probability == 2.0 / 8)
    #expect(try #require(PairedGain([-1, -2])).probability == 1)
    #expect(try #require(PairedGain([0, 0, 0])).probability == 1)
    let one = try #require(PairedGain([0.7]))
    #expect(one.interval == 0.7...0.7 && one.probability == 0.5)
    #expect(PairedGain([]) == nil)
    let many = try #require(PairedGain((0..<40).map { 1 + Double($0 % 3) }))
    #expect(many.probability < 0.001)
    #expect(PairedGain([1, 2, 3]) == PairedGain([1, 2, 3]), "draws are not repeatable")
  }

  @Test("Twelve networks, whose counts on CIFAR-10 are those of the plan")
  func networks() throws {
    #expect(AblationNetwork.small.count == 12)
    #expect(Set(AblationNetwork.small.map(\.name)).count == 12)
    func counts(_ name: String) throws -> [Int] {
      let network = try #require(AblationNetwork.small.first { $0.name == name })
      let built = try network.architecture.applying(
        ModelOptions(classes: 10, inputSize: ImageSize(network.inputSize), outputStride: 8)
      ).network()
      let costs = try CostReport(built)
      return [costs.parameters, costs.multiplyAdds / 10_000]
    }
    try #expect(counts("w0.1") == [98_890, 603])
    try #expect(counts("w0.5") == [700_490, 2_796])
    try #expect(counts("w0.1 multiplexed")[0] == 102_292)
    try #expect(counts("w0.5 multiplexed")[0] == 712_640)
    try #expect(counts("w0.5 leave-out 0.25")[0] == 580_938)
    try #expect(counts("w0.5 leave-out 0.5")[0] == 493_258)
    try #expect(counts("w0.5 at 16")[0] == 700_490)
    try #expect(counts("w0.5 kernel 5")[0] > 700_490)
  }

  private func ablation(_ accuracy: (AblationNetwork, UInt64) -> Double?) -> Ablation {
    let results = AblationNetwork.small.flatMap { network in
      (0..<5).compactMap { seed in
        accuracy(network, UInt64(seed)).map {
          AblationResult(
            network: network, seed: UInt64(seed), accuracy: $0, parameters: 1e5, multiplyAdds: 1e7)
        }
      }
    }
    return Ablation(results: results, planned: 60, remark: "made up", command: "none")
  }

  private func exhibit(_ ablation: Ablation) throws -> Exhibit {
    var reproduction = Reproduction()
    reproduction.ablation = ablation
    return try reproduction.exhibit(.figure8)
  }

  @Test("The claim is said to hold where it does, and not where it does not")
  func claim() throws {
    func made(_ small: Double, _ large: Double) -> Ablation {
      ablation { network, seed in
        let gain = network.knob == .multiplexing ? (network.width == 0.1 ? small : large) : 0
        return 0.8 + gain + 0.001 * Double(seed)
      }
    }
    let held = try exhibit(made(0.05, 0.01))
    #expect(held.notes.contains { $0.contains("holds here") && $0.contains("4.00 points") })
    #expect(held.notes.contains { $0.contains("60 of 60 trainings") })
    #expect(held.table.rows.count == 12 && held.figure != nil)
    try #expect(exhibit(made(0.01, 0.05)).notes.contains { $0.contains("does not hold here") })
    // A gain at one seed only is no claim.
    let few = ablation { network, seed in
      seed > 0 ? nil : network.knob == .multiplexing && network.width == 0.1 ? 0.9 : 0.8
    }
    try #expect(exhibit(few).notes.contains { $0.contains("is not shown here") })
  }

  @Test("What is not trained yet is left out, and pairs are of equal seeds")
  func partial() throws {
    let part = ablation { network, seed in
      // Another seed's result is no partner.
      if network.knob == .multiplexing, seed == 0 { return nil }
      if network.knob == .width, seed == 1 { return nil }
      return network.width == 0.25 ? nil : 0.5 + 0.01 * Double(seed)
    }
    let network = try #require(
      AblationNetwork.small.first { $0.knob == .multiplexing && $0.width == 0.1 })
    #expect(part.gain(network).keys.sorted() == [2, 3, 4])
    let made = try exhibit(part)
    #expect(made.table.rows.count == 9)
    // Without any result the counts stand alone, as before.
    try #expect(exhibit(ablation { _, _ in nil }).table.rows.count > 12)
  }
}
