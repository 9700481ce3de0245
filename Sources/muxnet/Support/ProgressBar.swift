// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A bar on the terminal that says how much of some work is done, how fast it goes and how long it will
/// take. Where the standard error is no terminal, nothing is shown.
struct ProgressBar {
  private let what: String
  private let total: Int
  private let start = ContinuousClock.now
  private var first: Int?
  private var isShown = false

  /// A bar for so many things, such as `images`.
  init(_ total: Int, _ what: String) {
    self.total = total
    self.what = what
  }

  mutating func show(_ done: Int) {
    guard Console.errorIsTerminal else { return }
    // What was there before says nothing about the speed.
    let before = first ?? done
    first = before
    isShown = true
    let filled = total == 0 ? Self.width : Self.width * done / total
    let bar =
      String(repeating: "█", count: filled) + String(repeating: "·", count: Self.width - filled)
    var text = "\(bar) \(done.grouped) of \(total.grouped) \(what)"
    let seconds = Seconds.since(start)
    if done > before, seconds > 1 {
      let speed = Double(done - before) / seconds
      let left = (Double(total - done) / speed).rounded(.up)
      text += ", \(speed.fixed(0))/s, \(Seconds.clock(left) ?? "–") left"
    }
    Console.standardError("\r\u{1b}[2K" + String(text.prefix(max(Console.errorWidth - 1, 20))))
  }

  /// Removes the bar.
  mutating func remove() {
    if isShown { Console.standardError("\r\u{1b}[2K") }
    isShown = false
  }

  private static let width = 24
}
