// SPDX-License-Identifier: Apache-2.0

/// Places of trials of which only some are drawn, evenly from the first to the last.
struct Thinned: Sendable, Hashable {
  /// Those that are drawn.
  var kept: [Int]
  /// Every how manyth that is.
  var step: Int

  /// What they are called: `whole`, or every so manyth of the `name`.
  func named(_ name: String, whole: String? = nil) -> String {
    guard step > 1 else { return whole ?? name }
    let ending =
      [11, 12, 13].contains(step % 100) ? "th" : [1: "st", 2: "nd", 3: "rd"][step % 10] ?? "th"
    return "every \(step)\(ending) of the \(name)"
  }
}

extension Array where Element == Int {
  /// At most so many of them, evenly.
  func thinned(to most: Int) -> Thinned {
    let step = Swift.max(1, (count + most - 1) / most)
    return Thinned(
      kept: step == 1 ? self : stride(from: 0, to: count, by: step).map { self[$0] }, step: step)
  }
}
