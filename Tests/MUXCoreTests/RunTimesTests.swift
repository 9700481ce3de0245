// SPDX-License-Identifier: Apache-2.0
import MUXCore
import Testing

@Suite("Times of runs") struct RunTimesTests {
  @Test("Quantiles lie linearly between the two nearest runs, whatever their order")
  func quantiles() {
    let times = RunTimes([4, 1, 3, 2])
    #expect(times.minimum == 1)
    #expect(times.median == 2.5)
    #expect(abs(times.percentile95 - 3.85) < 1e-12)
    #expect(times.quantile(1) == 4)
    #expect(RunTimes([5, 7, 6]).median == 6)
    #expect(RunTimes([2]).percentile95 == 2)
    #expect(RunTimes([]).median == 0)
  }

  @Test(
    "A duration reads as on a clock, rounded to seconds",
    arguments: [
      (0, "0:00"), (-3, "0:00"), (6.6, "0:07"), (59.5, "1:00"), (723, "12:03"), (3600, "1:00:00"),
      (11_045, "3:04:05"), (90_061, "25:01:01"), (1e9, nil), (.infinity, nil), (.nan, nil),
    ] as [(Double, String?)])
  func clock(seconds: Double, text: String?) {
    #expect(Seconds.clock(seconds) == text)
  }

  @Test("A quantile may be one of the numbers: that before the place, or that behind it")
  func neighbours() {
    let even = Quantiles([4, 1, 3, 2])
    #expect(even.lower(0.5) == 2 && even.upper(0.5) == 3)
    #expect(even.lower(0) == 1 && even.upper(1) == 4)
    let odd = Quantiles([5, 7, 6])
    #expect(odd.lower(0.5) == 6 && odd.upper(0.5) == 6)
    #expect(odd.lower(0.9) == 6 && odd.upper(0.9) == 7)
    let none = Quantiles([])
    #expect(none.lower(0.5) == nil && none.upper(0.5) == nil && none.linear(0.5) == nil)
  }
}
