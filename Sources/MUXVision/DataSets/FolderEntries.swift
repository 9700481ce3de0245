// SPDX-License-Identifier: Apache-2.0
import MUXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension FileIdentity {
  /// The folders on the way to what a path leads to, links resolved, itself left out.
  static func ancestors(of path: String) -> Set<FileIdentity> {
    guard let resolved = realpath(path, nil) else { return [] }
    defer { free(resolved) }
    var found: Set<FileIdentity> = []
    var way = String(cString: resolved)
    while let slash = way.utf8.lastIndex(of: UInt8(ascii: "/")), way != "/" {
      way = slash == way.startIndex ? "/" : String(way[..<slash])
      if let identity = FileIdentity(way) { found.insert(identity) }
    }
    return found
  }
}

/// What lies in one folder, sorted by the code points of the names as they are on disk.
///
/// Hidden names are passed over: those that begin with a dot, and the folders that systems leave
/// behind (`__MACOSX`, `lost+found`, `@eaDir`, `$RECYCLE.BIN`, `System Volume Information`).
struct FolderEntries {
  /// What an entry is, links followed.
  ///
  /// A link with the name of an image counts as a file wherever it leads: reading it will tell.
  enum Kind: Sendable, Hashable { case file, folder, linkedFolder, brokenLink }

  struct Entry {
    /// The name as it is on disk, byte by byte.
    let name: String
    let kind: Kind
  }

  /// The entries whose names are UTF-8.
  private(set) var entries: [Entry] = []
  /// The others, with `\xE9` for each byte that is not part of a character.
  private(set) var misnamed: [Entry] = []

  /// Lists a folder.
  /// - Throws: `DataSetError.unreadable`.
  init(_ path: String) throws(DataSetError) {
    guard let stream = opendir(path) else {
      throw .unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    defer { closedir(stream) }
    while true {
      errno = 0
      guard let entry = readdir(stream) else {
        guard errno == 0 else {
          throw .unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        break
      }
      let type = Int32(entry.pointee.d_type)
      withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(
          to: CChar.self, capacity: MemoryLayout.size(ofValue: tuple.pointee)
        ) { start in
          let bytes = UnsafeBufferPointer(start: start, count: strlen(start))
          if start[0] == CChar(UInt8(ascii: ".")) { return }
          guard
            let name = String(
              validating: bytes.lazy.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
          else {
            let kind = Self.kind(type, of: nil, in: dirfd(stream), start)
            misnamed.append(Entry(name: Self.legible(bytes), kind: kind))
            return
          }
          if Self.systemFolders.contains(name) { return }
          entries.append(
            Entry(name: name, kind: Self.kind(type, of: name, in: dirfd(stream), start)))
        }
      }
    }
    // The order of bytes in UTF-8 is that of code points.
    entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    misnamed.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// Why the last call of the system failed.
  static var lastError: String { String(cString: strerror(errno)) }

  /// Whether a path leads to a folder, links followed.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static let systemFolders: Set<String> = [
    "__MACOSX", "lost+found", "@eaDir", "$RECYCLE.BIN", "System Volume Information",
  ]

  /// The kind of an entry. Most file systems tell it with the name; a call for each of a million
  /// images would take longer than all the rest.
  private static func kind(
    _ type: Int32, of name: String?, in folder: Int32, _ start: UnsafePointer<CChar>
  ) -> Kind {
    switch type {
    case Int32(DT_DIR): return .folder
    case Int32(DT_LNK) where name.map(ImageFormat.isImageName) ?? false: return .file
    case Int32(DT_LNK), Int32(DT_UNKNOWN): break
    default: return .file
    }
    var status = stat()
    guard fstatat(folder, start, &status, 0) == 0 else {
      return name.map(ImageFormat.isImageName) ?? false ? .file : .brokenLink
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return .file }
    return type == Int32(DT_LNK) || isLink(start, in: folder) ? .linkedFolder : .folder
  }

  private static func isLink(_ name: UnsafePointer<CChar>, in folder: Int32) -> Bool {
    var status = stat()
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
      && status.st_mode & S_IFMT == S_IFLNK
  }

  private static func legible(_ name: UnsafeBufferPointer<CChar>) -> String {
    var text = ""
    var bytes = name[...].map { UInt8(truncatingIfNeeded: $0) }[...]
    while !bytes.isEmpty {
      // A character takes at most four bytes.
      let length = (1...min(4, bytes.count)).first {
        String(validating: bytes.prefix($0), as: UTF8.self) != nil
      }
      if let length, let character = String(validating: bytes.prefix(length), as: UTF8.self) {
        text += character
        bytes = bytes.dropFirst(length)
      } else {
        let digits = String(bytes[bytes.startIndex], radix: 16, uppercase: true)
        text += "\\x" + digits
        bytes = bytes.dropFirst()
      }
    }
    return text
  }
}
