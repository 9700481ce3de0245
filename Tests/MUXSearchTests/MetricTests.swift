// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXSearch
import Testing

@Suite("Metrics, and text for terminals")
struct MetricTests {
  @Test(
    "Values are written as their metric says",
    arguments: [
      (Metric.error, 7.524, "7.52 %"), (.error, 12.34, "12.3 %"), (.error, 100, "100 %"),
      (.error, 0, "0 %"), (.parameters, 4_812, "4.81k"), (.parameters, 999, "999"),
      (.multiplyAdds, 1.5e6, "1.5M"), (.multiplyAdds, 3.25e9, "3.25G"),
      (.latency, 0.256, "0.26 ms"),
      (
        Metric("top1", unit: "%", direction: .higher, format: .percent(decimals: 1)), 0.7534,
        "75.3 %"
      ),
      (Metric("loss", direction: .lower, format: .fixed(decimals: 4)), 2.30258, "2.3026"),
      (Metric("loss", direction: .lower, format: .fixed(decimals: 4)), .nan, "nan"),
    ])
  func texts(metric: Metric, value: Double, text: String) {
    #expect(metric.text(value) == text)
  }

  @Test("Better is a matter of direction, and NaN is never")
  func ranking() {
    let accuracy = Metric("top1", direction: .higher, format: .percent(decimals: 1))
    #expect(accuracy.isBetter(0.8, than: 0.7))
    #expect(!accuracy.isBetter(0.7, than: 0.7))
    #expect(!accuracy.isBetter(.nan, than: 0.1))
    #expect(accuracy.isBetter(0, than: .nan))
    #expect(accuracy.isBetter(-1e300, than: accuracy.worst))
    #expect(Metric.error.isBetter(3, than: 4))
    #expect(Metric.error.isBetter(100, than: Metric.error.worst))
  }

  @Test("Values that cannot be are told in words")
  func defects() {
    #expect(Metric.error.defect(of: 0) == nil)
    #expect(Metric.error.defect(of: 100) == nil)
    #expect(Metric.error.defect(of: 100.5) == "is 100.5, not from 0 to 100 percent")
    #expect(Metric.parameters.defect(of: -1) == "is -1.0, below 0")
    #expect(Metric.latency.defect(of: .infinity) == "is inf, not a finite number")
    #expect(Metric("energy", direction: .lower, format: .scaled).defect(of: -5) == nil)
  }

  @Test("A metric comes back from its file as it was")
  func coding() throws {
    for metric in Metric.objectives {
      let data = try JSONEncoder().encode(metric)
      try #expect(JSONDecoder().decode(Metric.self, from: data) == metric)
    }
    #expect(Objective("params", scale: 1).metric == .parameters)
    #expect(Objective("energy", scale: 1).metric.name == "energy")
  }

  @Test(
    "Control characters are shown, not obeyed",
    arguments: [
      ("plain, größe 🦊\tline\nbreak", "plain, größe 🦊\tline\nbreak"),
      ("\u{1b}[2J", "\\u{1b}[2J"), ("a\rb", "a\\u{d}b"), ("\u{9b}31m", "\\u{9b}31m"),
      ("\u{7}\u{0}\u{7f}", "\\u{7}\\u{0}\\u{7f}"), ("\u{202e}gnp.exe", "\\u{202e}gnp.exe"),
      ("a\r\nb", "a\\u{d}\nb"),
    ])
  func terminals(text: String, shown: String) {
    #expect(PlainText.visible(text) == shown)
  }

  @Test("JSON keeps its meaning")
  func json() throws {
    let text = "a\u{9b}b\u{202e}\u{e0041}\u{1b}"
    let coded = String(decoding: try JSONEncoder().encode([text]), as: UTF8.self)
    let shown = PlainText.json(coded)
    #expect(!shown.unicodeScalars.contains { $0.value > 0x7e })
    try #expect(JSONDecoder().decode([String].self, from: Data(shown.utf8)) == [text])
  }
}
