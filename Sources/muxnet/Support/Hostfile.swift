// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// The hosts on which processes are started: a line `HOST slots=N` for each, `#` begins a comment.
struct Hostfile: Hashable {
  /// A host and how many processes it has.
  struct Host: Hashable {
    var name: String
    var slots: Int
    /// The number of its first process.
    var first: Int
  }

  var hosts: [Host] = []

  /// How many processes all hosts have.
  var slots: Int { hosts.reduce(0) { $0 + $1.slots } }

  /// Whether all are this machine.
  var isLocal: Bool { hosts.allSatisfy { Self.isLocal($0.name) } }

  /// Whether a name is that of this machine wherever it is read; no other shell is needed then.
  static func isLocal(_ name: String) -> Bool { name == "localhost" || name == "127.0.0.1" }

  /// Reads a file.
  ///
  /// - Throws: `CommandError` with the file and the line, `FileError`.
  init(path: String) throws {
    try self.init(try TextFile.read(path, limit: 1 << 22), path: path)
  }

  /// Reads the text of a file.
  ///
  /// - Throws: `CommandError` with the file and the line.
  init(_ text: String, path: String) throws {
    var places: [String: Int] = [:]
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      guard let name = words.first.map(String.init) else { continue }
      func fail(_ reason: String) -> CommandError {
        CommandError("\(path):\(index + 1): \(reason)")
      }
      // A name that begins with '-' would be an option of the shell that reaches it.
      guard !name.hasPrefix("-"),
        name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-_:@[]%".contains($0)) })
      else { throw fail("'\(name)' is no name of a host; write it as node1 slots=2") }
      var slots = 1
      for word in words.dropFirst() {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0] == "slots", let count = Int(parts[1]),
          (1...1024).contains(count)
        else { throw fail("'\(word)' is not one of slots=1 … slots=1024") }
        slots = count
      }
      if words.count > 2 { throw fail("what follows '\(words[1])' is too much") }
      if let other = places[name] { throw fail("'\(name)' is in line \(other) already") }
      places[name] = index + 1
      hosts.append(Host(name: name, slots: slots, first: self.slots))
    }
    if hosts.isEmpty {
      throw CommandError("\(path) names no host; write a line such as node1 slots=2")
    }
    if slots > 65_536 {
      throw CommandError("\(path) has \(slots) processes; at most 65536 are started")
    }
  }
}
