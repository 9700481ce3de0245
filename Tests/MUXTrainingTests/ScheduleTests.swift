// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXTraining
import Testing

@Suite struct ScheduleTests {
  private func close(_ a: Double, _ b: Double) -> Bool {
    abs(a - b) <= 1e-12 + 1e-9 * abs(b)
  }

  @Test("the paper's ImageNet schedule follows its closed form at every step")
  func paper() {
    let schedule = LearningRateSchedule(
      shape: .step, interval: .epoch, decayEpochs: 3, decayRate: 0.97, warmUp: WarmUp(epochs: 5))
    let clock = ScheduleClock(stepsPerEpoch: 7, epochs: 40)
    for step in 0..<clock.totalSteps {
      let epoch = step / 7
      let expected =
        epoch < 5 ? 0.016 * Double(step) / 35 : 0.016 * pow(0.97, Double(epoch / 3))
      let rate = schedule.rate(step: step, base: 0.016, clock: clock)
      #expect(close(rate, expected), "step \(step): \(rate), expected \(expected)")
    }
    #expect(schedule.rate(step: 0, base: 0.016, clock: clock) == 0)
  }

  @Test("a period of 2.4 epochs has passed five times after 12 epochs")
  func fractionalPeriods() {
    let schedule = LearningRateSchedule(
      shape: .step, interval: .step, decayEpochs: 2.4, decayRate: 0.5)
    let clock = ScheduleClock(stepsPerEpoch: 10, epochs: 20)
    let expected = [0: 1, 23: 1, 24: 0.5, 47: 0.5, 48: 0.25, 72: 0.125, 119: 0.0625, 120: 0.03125]
    for (step, value) in expected {
      #expect(schedule.rate(step: step, base: 1, clock: clock) == value, "step \(step)")
    }
  }

  @Test("a cosine moved once per epoch gives PyTorch's CosineAnnealingLR")
  func cosinePerEpoch() {
    let schedule = LearningRateSchedule(shape: .cosine, interval: .epoch)
    let clock = ScheduleClock(stepsPerEpoch: 3, epochs: 6)
    let expected = [
      0.01, 0.009330127018922194, 0.0075, 0.005, 0.0025, 0.0006698729810778065,
    ]
    for step in 0..<18 {
      #expect(close(schedule.rate(step: step, base: 0.01, clock: clock), expected[step / 3]))
    }
  }

  @Test("a cosine moved with every step falls at every step and ends near its final rate")
  func cosinePerStep() {
    let schedule = LearningRateSchedule(shape: .cosine, finalRate: 0.001)
    let clock = ScheduleClock(stepsPerEpoch: 4, epochs: 5)
    let rates = (0..<20).map { schedule.rate(step: $0, base: 0.1, clock: clock) }
    #expect(rates[0] == 0.1)
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
    #expect(close(schedule.rate(step: 10, base: 0.1, clock: clock), 0.0505))
    #expect(close(schedule.rate(step: 20, base: 0.1, clock: clock), 0.001))
    #expect(close(schedule.rate(step: 99, base: 0.1, clock: clock), 0.001))
  }

  @Test("a polynomial of power 2 gives PyTorch's PolynomialLR")
  func polynomial() {
    var schedule = LearningRateSchedule(shape: .polynomial, interval: .epoch, power: 2)
    let clock = ScheduleClock(stepsPerEpoch: 2, epochs: 5)
    let expected = [0.01, 0.0064, 0.0036, 0.0016, 0.0004]
    for step in 0..<10 {
      #expect(close(schedule.rate(step: step, base: 0.01, clock: clock), expected[step / 2]))
    }
    schedule.power = 1
    #expect(close(schedule.rate(step: 4, base: 0.01, clock: clock), 0.006))
  }

  @Test("one cycle gives PyTorch's OneCycleLR at every step")
  func oneCycle() {
    let schedule = LearningRateSchedule(shape: .oneCycle)
    let clock = ScheduleClock(stepsPerEpoch: 5, epochs: 4)
    // torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.4, total_steps=20)
    let expected = [
      0.016000000000000014, 0.05266873708001013, 0.1486687370800101, 0.2673312629199899,
      0.3633312629199899, 0.4, 0.39498560249403497, 0.38019385280538953, 0.35636647102842,
      0.3246982615799052, 0.28677720071652035, 0.24450480877451572, 0.2000008,
      0.1554967912254843, 0.11322439928347969, 0.0753033384200948, 0.04363512897158001,
      0.019807747194610516, 0.005015997505965022, 1.6e-06,
    ]
    for (step, value) in expected.enumerated() {
      let rate = schedule.rate(step: step, base: 0.4, clock: clock)
      #expect(close(rate, value), "step \(step): \(rate), expected \(value)")
    }
  }

  @Test("milestones decay from their own epoch on")
  func multistep() {
    let schedule = LearningRateSchedule(
      shape: .multistep, decayRate: 0.1, milestones: [2, 3.5])
    let clock = ScheduleClock(stepsPerEpoch: 2, epochs: 5)
    let expected: [Double] = [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01]
    for (step, value) in expected.enumerated() {
      #expect(close(schedule.rate(step: step, base: 1, clock: clock), value), "step \(step)")
    }
  }

  @Test("a warm-up once per epoch starts at its rate, and can delay the decay")
  func warmUp() {
    var schedule = LearningRateSchedule(
      shape: .cosine, interval: .epoch, warmUp: WarmUp(epochs: 4, from: 0.2, interval: .epoch))
    let clock = ScheduleClock(stepsPerEpoch: 3, epochs: 8)
    let first = (0..<4).map { schedule.rate(step: $0 * 3 + 1, base: 1, clock: clock) }
    for (rate, expected) in zip(first, [0.2, 0.4, 0.6, 0.8]) { #expect(close(rate, expected)) }
    #expect(close(schedule.rate(step: 12, base: 1, clock: clock), 0.5))
    schedule.warmUp.delaysDecay = true
    #expect(close(schedule.rate(step: 12, base: 1, clock: clock), 1))
    #expect(close(schedule.rate(step: 18, base: 1, clock: clock), 0.5))
  }

  @Test("a learning rate follows the batch as asked and says so")
  func baseRate() {
    let linear = BaseRate(rate: 0.016, scaling: .linear, batchSize: 768, referenceBatchSize: 256)
    #expect(close(linear.rate, 0.048))
    #expect(linear.description.contains("768/256"))
    let root = BaseRate(rate: 0.1, scaling: .squareRoot, batchSize: 64, referenceBatchSize: 256)
    #expect(close(root.rate, 0.05))
    #expect(
      BaseRate(rate: 0.3, scaling: .none, batchSize: 7, referenceBatchSize: 256).rate == 0.3)
  }

  @Test("a schedule survives JSON and keeps the defaults of absent keys")
  func codable() throws {
    var schedule = LearningRateSchedule(shape: .multistep, milestones: [1, 2])
    schedule.warmUp.epochs = 1.5
    let data = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(LearningRateSchedule.self, from: data) == schedule)
    let sparse = Data(#"{"shape": "step", "warmUp": {"epochs": 2}}"#.utf8)
    let read = try JSONDecoder().decode(LearningRateSchedule.self, from: sparse)
    #expect(read == LearningRateSchedule(shape: .step, warmUp: WarmUp(epochs: 2)))
  }

  @Test("nonsense is refused with the setting's name")
  func validation() {
    var schedule = LearningRateSchedule(shape: .multistep)
    #expect(throws: ConfigurationError.self) { try schedule.validate() }
    schedule.milestones = [3, 2]
    #expect(throws: ConfigurationError.self) { try schedule.validate() }
    schedule.milestones = [2, 3]
    #expect(throws: Never.self) { try schedule.validate() }
    schedule.decayEpochs = 0
    let error = #expect(throws: ConfigurationError.self) { try schedule.validate() }
    #expect(error?.description.hasPrefix("schedule.decayEpochs is 0.0: must lie in ") == true)
  }
}
