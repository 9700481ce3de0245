// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTraining
import Testing

@Suite struct ProgressTests {
  private func decode<Value: Decodable>(_ text: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }

  private func overview() throws -> RunOverview {
    try decode(
      """
      {"folder": "runs/a", "network": "tiny", "task": "classification",
       "metric": {"name": "top1", "label": "top-1", "unit": "%", "direction": "higher",
                  "format": {"percent": {"decimals": 2}}}, "parameters": 10, "multiplyAdds": 1500000,
       "trainingImages": 4, "validationImages": 2, "classes": 2, "stepsPerEpoch": 4, "epochs": 2,
       "firstStep": 0, "learningRate": "learning rate 0.1 as given", "device": "cpu"}
      """)
  }

  private func report(step: Int) throws -> StepReport {
    try decode(
      """
      {"epoch": 1, "stepInEpoch": \(step), "step": \(step), "loss": 1.25, "lossParts": [], "meanLoss": 1.5,
       "learningRate": 0.1, "imagesPerSecond": 120, "dataWait": 0.02, "secondsLeft": 75}
      """)
  }

  private func output(_ style: ProgressRenderer.Style) throws -> String {
    var text = ""
    let renderer = ProgressRenderer(style: style) { text += $0 }
    renderer.handle(.started(try overview()))
    for step in 1...4 { renderer.handle(.step(try report(step: step))) }
    renderer.handle(.warning("a warning"))
    renderer.handle(.notice("a notice"))
    return text
  }

  @Test("plain lines elsewhere than on a terminal, one every so many steps, without escapes")
  func plain() throws {
    let lines = try output(.init(isTerminal: false, everySteps: 2)).split(separator: "\n")
    #expect(lines.count == 4 + 2 + 2)
    #expect(!lines.joined().contains("\u{1B}"))
    #expect(lines[4].contains("step 2/4") && lines[4].contains("loss 1.250 (1.500)"))
    #expect(lines[4].contains("ETA 1:15") && lines[4].contains("wait 2.0 %"))
  }

  @Test("on a terminal one line is drawn over, no wider than the terminal")
  func terminal() throws {
    let text = try output(.init(isTerminal: true, width: 60, everySteps: 2, interval: 0))
    let drawn = text.split(separator: "\r").dropFirst()
    #expect(drawn.count == 5)  // four bars, and the erasure before the warning
    for line in drawn.dropLast() {
      #expect(line.hasPrefix("\u{1B}[2K") && line.dropFirst(4).count < 60)
    }
    #expect(text.hasSuffix("a warning\na notice\n"))
  }
}
