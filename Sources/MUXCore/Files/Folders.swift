// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Folders that are made where they are missing.
package enum Folders {
  /// Makes a folder and those above it where they are missing. (Foundation's way hides the system's
  /// reason for a failure.)
  package static func make(_ path: String) throws(FileError) {
    var parts = path.split(separator: "/", omittingEmptySubsequences: true)
    var missing: [Substring] = []
    func joined() -> String {
      (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
    while !parts.isEmpty, mkdir(joined(), 0o755) != 0 {
      let code = errno
      if code == EEXIST || access(joined(), F_OK) == 0 { break }
      guard code == ENOENT, parts.count > 1, let last = parts.popLast() else {
        throw FileError(operation: "make the folder", path: path, code: code)
      }
      missing.append(last)
    }
    while let next = missing.popLast() {
      parts.append(next)
      guard mkdir(joined(), 0o755) == 0 || errno == EEXIST else {
        throw .last("make the folder", path)
      }
    }
  }
}
