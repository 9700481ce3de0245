// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Processes that a test has started through others, by what only they have in their environment.
enum Marked {
  /// The training processes with `TEST_MARK=mark`, by the numbers that their launcher gave them.
  static func processes(_ mark: String) -> [Int: pid_t] {
    var found: [Int: pid_t] = [:]
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      guard let number = pid_t(name),
        let data = FileManager.default.contents(atPath: "/proc/\(number)/environ")
      else { continue }
      let variables = String(decoding: data, as: UTF8.self).split(separator: "\0")
      guard variables.contains("TEST_MARK=\(mark)"),
        let rank = variables.first(where: { $0.hasPrefix("RANK=") }),
        FileManager.default.contents(atPath: "/proc/\(number)/cmdline").map({
          String(decoding: $0, as: UTF8.self).contains("--threads")
        }) == true
      else { continue }
      // The guard of a child has its environment, too, until it ends: the child is the later one.
      guard let own = Int(rank.dropFirst(5)) else { continue }
      found[own] = max(found[own] ?? 0, number)
    }
    return found
  }
}
