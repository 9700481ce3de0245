// SPDX-License-Identifier: Apache-2.0
import Foundation

extension AtomicFile {
  /// Seconds after which nobody is expected to write to a temporary file any more.
  private static let rest = 5.0

  /// Whether a name is that of a temporary file that was to become another.
  ///
  /// - Parameters:
  ///   - name: The name in question.
  ///   - other: The file's name when it is whole.
  package static func isLeftover(_ name: String, of other: String) -> Bool {
    name.hasPrefix(".\(other).") && name.hasSuffix(".partial")
  }

  /// Removes what killed processes of this machine have left half-written in a folder.
  ///
  /// What was written to a moment ago stays: it may be that of a process of another machine, whose number
  /// means nothing here.
  package static func removeLeftovers(in folder: String) {
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: folder)) ?? []
    where name.hasPrefix(".") && name.hasSuffix(".partial") {
      // .NAME.PROCESS.NUMBER.partial
      let parts = name.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count >= 5, Int(parts[parts.count - 2]) != nil,
        let process = pid_t(parts[parts.count - 3]), process > 0,
        kill(process, 0) != 0, errno == ESRCH
      else { continue }
      let path = "\(folder)/\(name)"
      guard let facts = try? manager.attributesOfItem(atPath: path),
        facts[.type] as? FileAttributeType == .typeRegular,
        let written = facts[.modificationDate] as? Date, -written.timeIntervalSinceNow > rest
      else { continue }
      unlink(path)
    }
  }
}
