// SPDX-License-Identifier: Apache-2.0
import MUXCharts
import Testing

@Suite("Marks of axes")
struct TickTests {
  @Test(
    "Linear marks are round numbers inside the range",
    arguments: [
      (0.0...1.0, 6, [0, 0.2, 0.4, 0.6, 0.8, 1]), (65.4...77.0, 6, [66, 68, 70, 72, 74, 76]),
      (0...100, 5, [0, 25, 50, 75, 100]), (-1...1, 3, [-1, 0, 1]),
      (97e6...591e6, 5, [1e8, 2e8, 3e8, 4e8, 5e8]), (0.1...0.3, 3, [0.1, 0.2, 0.3]),
    ] as [(ClosedRange<Double>, Int, [Double])])
  func linear(range: ClosedRange<Double>, count: Int, expected: [Double]) {
    let ticks = Ticks.linear(range, atMost: count)
    #expect(ticks.count == expected.count, "\(ticks)")
    for (tick, wanted) in zip(ticks, expected) {
      #expect(abs(tick - wanted) <= 1e-9 * max(abs(wanted), 1))
    }
  }

  @Test(
    "Logarithmic marks: powers over many decades, 1, 2 and 5 between over few",
    arguments: [
      (1.0...1e6, 7, [1, 10, 100, 1e3, 1e4, 1e5, 1e6]), (1...100, 8, [1, 2, 5, 10, 20, 50, 100]),
      (60e6...600e6, 3, [1e8, 2e8, 5e8]), (0.001...1000, 3, [0.001, 1, 1000]),
    ] as [(ClosedRange<Double>, Int, [Double])])
  func logarithmic(range: ClosedRange<Double>, count: Int, expected: [Double]) {
    let ticks = Ticks.logarithmic(range, atMost: count)
    #expect(ticks.count == expected.count, "\(ticks)")
    for (tick, wanted) in zip(ticks, expected) { #expect(abs(tick / wanted - 1) < 1e-9) }
  }

  @Test("There are never more marks than asked for, all inside the range", arguments: 1...12)
  func bounds(count: Int) {
    for exponent in -6...9 {
      var low = 1.0
      for _ in 0..<abs(exponent) { low *= exponent < 0 ? 0.1 : 10 }
      for factor in [1.01, 1.3, 2, 7, 30, 5000] {
        let range = low...low * factor
        for ticks in [
          Ticks.linear(range, atMost: count), Ticks.logarithmic(range, atMost: count),
        ] {
          #expect(ticks.count <= count, "\(range)")
          #expect(ticks == ticks.sorted())
          for tick in ticks {
            #expect(tick >= low * (1 - 1e-8) && tick <= low * factor * (1 + 1e-8), "\(range)")
          }
        }
      }
    }
  }

  @Test("A range of no width or with impossible ends has at most one mark")
  func degenerate() {
    #expect(Ticks.linear(3...3, atMost: 5) == [3])
    #expect(Ticks.logarithmic(-1...10, atMost: 5).isEmpty)
    #expect(Ticks.logarithmic(0...10, atMost: 5).isEmpty)
  }

  @Test(
    "Numbers are written short and without floating-point dust",
    arguments: [
      (AxisFormat.plain, 0.1 + 0.2, "0.3"), (.plain, 72, "72"), (.plain, -2.5, "−2.5"),
      (.plain, 0, "0"), (.plain, 1e-15, "0"), (.metric, 300e6, "300M"), (.metric, 1.5e9, "1.5B"),
      (.metric, 2500, "2.5k"), (.metric, 12, "12"), (.percent, 0.25, "25 %"),
      (.plain, .nan, "–"), (.plain, .infinity, "∞"),
    ])
  func numbers(format: AxisFormat, value: Double, text: String) {
    #expect(format.text(value) == text)
  }
}
