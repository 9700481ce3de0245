// SPDX-License-Identifier: Apache-2.0

/// Where studies are kept, in the words of Optuna and SQLAlchemy.
///
/// No text of it has a secret: not its description, what a debugger or `dump` shows, what it is
/// coded as, nor the errors about it. The address of a server has parts that may be shown, and only
/// these are. The whole is in ``textWithSecrets`` alone.
public struct StorageURL: Sendable, Hashable {
  /// The kinds of storage.
  public enum Kind: Sendable, Hashable {
    /// In this process only.
    case memory
    /// SQLite: a file, which only processes of this machine share.
    case sqlite(path: String)
    /// PostgreSQL: a server, which machines share.
    case postgres(PostgresAddress)
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
    func invalid(_ reason: String) -> StudyError {
      .invalidStorage(url: Self.harmless(text), reason: reason)
    }
    if let separator = text.firstRange(of: "://") {
      // `postgresql+psycopg2` names a Python driver; the address is the same.
      let scheme = text[..<separator.lowerBound].split(separator: "+").first ?? ""
      let rest = text[separator.upperBound...]
      switch scheme.lowercased() {
      case "sqlite":
        guard rest.hasPrefix("/"), rest.contains(where: { $0 != "/" }) else {
          throw invalid(Self.adviceForFile(rest))
        }
        guard !rest.hasSuffix("/") else {
          throw invalid("that is a folder; write sqlite:///FOLDER/FILE.db")
        }
        try Self.refuseHome(rest.dropFirst(), invalid)
        if let query = rest.firstIndex(of: "?"), rest[query...].contains("=") {
          throw invalid("a file takes no parameters; write sqlite:///FILE without '?'")
        }
        kind = .sqlite(path: String(rest.dropFirst()))
      case "postgresql", "postgres":
        guard !rest.isEmpty else { throw invalid("write postgresql://USER@HOST/DATABASE") }
        do throws(PostgresAddress.Defect) {
          kind = .postgres(try PostgresAddress(rest))
        } catch {
          throw invalid(error.reason)
        }
      default:
        throw invalid(Self.adviceForKind(scheme))
      }
      return
    }
    guard [".db", ".sqlite", ".sqlite3"].contains(where: text.hasSuffix), text.count > 3 else {
      throw invalid(Self.advice(text))
    }
    guard !Self.mayHoldSecret(text) else {
      throw invalid(Self.advice(text))
    }
    try Self.refuseHome(text[...], invalid)
    kind = .sqlite(path: text)
  }

  /// The full text, with a password if there is one: for other processes of ours, never for people.
  public var textWithSecrets: String {
    if case .postgres(let address) = kind { return address.textWithSecrets }
    return description
  }

  /// The same storage, with a password that was asked for.
  ///
  /// - Throws: ``StudyError/invalidStorage(url:reason:)`` for a storage that takes none.
  public func withPassword(_ password: String) throws(StudyError) -> StorageURL {
    guard case .postgres(var address) = kind else {
      throw .invalidStorage(url: description, reason: "a file takes no password")
    }
    address.password = Secret(password)
    return StorageURL(.postgres(address))
  }

  /// Whether a text that should be a path looks like something else, with a password perhaps:
  /// `host=h password=…`, `postgresql:me:…@host/….db`.
  private static func mayHoldSecret(_ text: String) -> Bool {
    text.contains("=") || text.contains("?")
      || text.firstMatch(of: /^[A-Za-z][A-Za-z0-9+.\-]*:/) != nil
      || text.firstMatch(of: /:.*@/) != nil
  }

  /// What may be shown of a text, whether it is an address or not.
  public static func shown(_ text: String) -> String {
    guard let url = try? StorageURL(text) else { return harmless(text) }
    // A file as it was written.
    if case .sqlite = url.kind { return text }
    return "\(url)"
  }

  /// Whether all of a text that is no address may be shown: it is plainly a path or a word. Of others only
  /// the scheme is.
  static func isHarmless(_ text: String) -> Bool {
    text.count <= 200 && text.wholeMatch(of: /(sqlite:\/\/)?[A-Za-z0-9_.,~\/\-]*/) != nil
  }

  /// What may be shown of such a text.
  static func harmless(_ text: String) -> String {
    if isHarmless(text) { return text }
    guard let scheme = text.prefixMatch(of: /([A-Za-z][A-Za-z0-9+.\-]{0,20}):/) else { return "…" }
    return "\(scheme.output.1):…"
  }
}

extension StorageURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable,
  Codable
{
  /// The text without secrets.
  public var description: String {
    switch kind {
    case .memory: "memory:"
    case .sqlite(let path): "sqlite:///\(path)"
    case .postgres(let address): "\(address)"
    }
  }

  /// As `description`: debuggers and logs see no secrets either.
  public var debugDescription: String { description }

  /// The text without secrets, as only child.
  public var customMirror: Mirror { Mirror(self, children: ["text": description]) }

  /// Reads the text.
  public init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text without secrets: what is read back has no password.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A text that is not shown to anyone who does not ask for exactly that.
struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  let value: String

  init(_ value: String) { self.value = value }

  var description: String { "***" }
  var debugDescription: String { "***" }
  var customMirror: Mirror { Mirror(self, children: []) }
}
