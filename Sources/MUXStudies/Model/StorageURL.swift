// SPDX-License-Identifier: Apache-2.0

/// Where studies are kept, in the words of Optuna and SQLAlchemy.
public struct StorageURL: Sendable, Hashable, CustomStringConvertible {
  /// The kinds of storage.
  public enum Kind: Sendable, Hashable {
    /// In this process only.
    case memory
    /// A file.
    case sqlite(path: String)
    /// A server; the address as libpq takes it.
    case postgres(address: String)
  }

  /// The kind of storage and its place.
  public let kind: Kind

  /// A storage of a kind.
  public init(_ kind: Kind) { self.kind = kind }

  /// Reads `sqlite:///studies.db` (four slashes for an absolute path), a path that ends in `.db`,
  /// `.sqlite` or `.sqlite3`, `postgresql://user@host/database`, or `memory:`.
  ///
  /// - Throws: ``StudyError/invalidStorage(url:reason:)``.
  public init(_ text: String) throws(StudyError) {
    if text == "memory:" {
      kind = .memory
      return
    }
    if let separator = text.firstRange(of: "://") {
      // `postgresql+psycopg2` names a Python driver; the address is the same.
      let scheme = text[..<separator.lowerBound].split(separator: "+").first ?? ""
      let rest = String(text[separator.upperBound...])
      switch scheme {
      case "sqlite":
        guard rest.hasPrefix("/"), rest.count > 1 else {
          throw .invalidStorage(
            url: text,
            reason: "write sqlite:///FILE (relative) or sqlite:////FILE (absolute)")
        }
        kind = .sqlite(path: String(rest.dropFirst()))
        return
      case "postgresql", "postgres":
        guard !rest.isEmpty else {
          throw .invalidStorage(url: text, reason: "write postgresql://USER@HOST/DATABASE")
        }
        kind = .postgres(address: "postgresql://\(rest)")
        return
      default:
        throw .invalidStorage(
          url: Self.redacted(text),
          reason: "unknown kind '\(scheme)'; use sqlite:///FILE or postgresql://USER@HOST/DATABASE")
      }
    }
    guard [".db", ".sqlite", ".sqlite3"].contains(where: text.hasSuffix), text.count > 3 else {
      throw .invalidStorage(
        url: text, reason: "use sqlite:///FILE, FILE.db or postgresql://USER@HOST/DATABASE")
    }
    kind = .sqlite(path: text)
  }

  /// The full text, with a password if there is one: for other processes, not for people.
  public var absoluteString: String {
    switch kind {
    case .memory: "memory:"
    case .sqlite(let path): "sqlite:///\(path)"
    case .postgres(let address): address
    }
  }

  /// The text without a password.
  public var description: String { Self.redacted(absoluteString) }

  private static func redacted(_ text: String) -> String {
    var result = text
    if let separator = text.firstRange(of: "://") {
      let rest = text[separator.upperBound...]
      let authority = rest.prefix { $0 != "/" && $0 != "?" }
      if let at = authority.lastIndex(of: "@"),
        let colon = authority[..<at].firstIndex(of: ":")
      {
        result.replaceSubrange(text.index(after: colon)..<at, with: "***")
      }
    }
    // libpq also takes the password among the parameters.
    return result.replacing(/([?&]password=)[^&]*/) { "\($0.output.1)***" }
  }
}
