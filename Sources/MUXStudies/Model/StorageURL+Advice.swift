// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// What is said of a text that is no address: how it was understood, and the right form. Parts of the
/// text are repeated only where they are plainly a path or a word.
extension StorageURL {
  private static let help = "use sqlite:///FILE, FILE.db or postgresql://USER@HOST/DATABASE"

  /// For a text without `://`.
  static func advice(_ text: String) -> String {
    if text.isEmpty { return "it is empty; \(help)" }
    if let scheme = text.prefixMatch(of: /([A-Za-z0-9+]{1,20}):/)?.output.1.lowercased() {
      if scheme == "sqlite" { return adviceForFile(text.dropFirst(scheme.count + 1)) }
      if scheme.hasPrefix("postgres") {
        return "the address of a server begins with two slashes: postgresql://USER@HOST/DATABASE"
      }
    }
    if text.contains("?"), !text.contains("@"), let end = text.firstRange(of: /\.(db|sqlite3?)\?/) {
      return isHarmless(String(text[..<end.lowerBound]))
        ? "a file takes no parameters; leave out what begins with '?'"
        : help
    }
    if text.contains("=") {
      return "settings of a connection are no address; write postgresql://USER@HOST/DATABASE"
    }
    guard isHarmless(text) else { return "\(help); a file of any other name is sqlite:///FILE" }
    if text.hasSuffix("/") { return "that is a folder; name a file in it: \(text)studies.db" }
    return
      "that is no address, and a file has to end in .db; write sqlite:///\(text) for this file,"
      + " or postgresql://USER@HOST/DATABASE for a server"
  }

  /// For what stands after `sqlite:` or `sqlite://`, where that is no file.
  static func adviceForFile(_ rest: some StringProtocol) -> String {
    let path = String(rest)
    guard isHarmless(path), path.contains(where: { $0 != "/" }) else {
      return "write sqlite:///FILE (relative) or sqlite:////FILE (absolute)"
    }
    return "three slashes stand before a file's path; write sqlite:///\(path)"
  }

  /// For an address of a kind that there is not.
  static func adviceForKind(_ scheme: Substring) -> String {
    guard scheme.wholeMatch(of: /[A-Za-z0-9.\-]{1,20}/) != nil else {
      return "unknown kind; \(help)"
    }
    let forms = [
      "sqlite": "sqlite:///FILE", "file": "sqlite:///FILE",
      "postgresql": "postgresql://USER@HOST/DATABASE",
    ]
    let meant =
      scheme.lowercased().hasPrefix("postg")
      ? "postgresql"
      : NameDistance.nearest(to: String(scheme), among: forms.keys, limit: 1).first
    return "unknown kind '\(scheme)'; "
      + (meant.flatMap { forms[$0] }.map { "did you mean \($0)?" } ?? help)
  }

  /// A path that begins with `~`, which a shell replaces only at the front of a word, would make a folder
  /// of that name.
  static func refuseHome(
    _ path: Substring, _ invalid: (String) -> StudyError
  ) throws(StudyError) {
    guard path.hasPrefix("~/") else { return }
    throw invalid(
      "the shell left the ~ as it is; write the folder out, as in sqlite:////home/NAME/FILE")
  }
}
