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
  /// reason for a failure.) What lies in the folder's place has to be a folder, or a link to one.
  package static func make(_ path: String) throws(FileError) {
    // The working folder.
    if path.isEmpty { return }
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
    // What holds the missing ones may be a link that leads nowhere.
    if !missing.isEmpty, !parts.isEmpty { try requireFolder(joined()) }
    while let next = missing.popLast() {
      parts.append(next)
      guard mkdir(joined(), 0o755) == 0 || errno == EEXIST else {
        throw .last("make the folder", path)
      }
    }
    // Without slashes at the end: with them the system does not say that a file is there.
    try requireFolder(parts.isEmpty ? path : joined())
  }

  private static func requireFolder(_ path: String) throws(FileError) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT != S_IFDIR else { return }
      throw FileError(
        operation: "make the folder", path: path, code: ENOTDIR,
        reason: "a file is in its place; name another folder")
    }
    let code = errno
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else {
      throw FileError(operation: "make the folder", path: path, code: code)
    }
    throw FileError(
      operation: "make the folder", path: path, code: ENOENT,
      reason: "a link is in its place that leads nowhere; remove it or name another folder")
  }
}
