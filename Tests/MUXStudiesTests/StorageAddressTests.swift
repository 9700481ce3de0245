// SPDX-License-Identifier: Apache-2.0
import MUXStudies
import Testing

@Suite("What a text that is no address was taken for, and the right form")
struct StorageAddressTests {
  private func reason(_ text: String) -> String {
    do throws(StudyError) {
      return "read: \(try StorageURL(text))"
    } catch {
      guard case .invalidStorage(_, let reason) = error else { return "\(error)" }
      return reason
    }
  }

  @Test(
    "words, paths and nearly right addresses",
    arguments: [
      ("", "it is empty; use sqlite:///FILE"), ("mine", "write sqlite:///mine for this file"),
      ("/a/b.sqlit", "write sqlite:////a/b.sqlit for this file"),
      ("runs/", "that is a folder; name a file in it: runs/studies.db"),
      ("sqlite:a.db", "write sqlite:///a.db"), ("sqlite:/a.db", "write sqlite:////a.db"),
      ("sqlite://a.db", "write sqlite:///a.db"), ("SQLite:b/a", "write sqlite:///b/a"),
      ("sqlite://", "write sqlite:///FILE (relative)"), ("sqlite:///", "write sqlite:///FILE"),
      ("sqlite:////", "write sqlite:///FILE (relative)"), ("sqlite:///runs/", "that is a folder"),
      ("sqllite:///a.db", "unknown kind 'sqllite'; did you mean sqlite:///FILE?"),
      ("file:///a.db", "did you mean sqlite:///FILE?"),
      ("postgre://h/d", "did you mean postgresql://USER@HOST/DATABASE?"),
      ("postgressql://h/d", "did you mean postgresql://USER@HOST/DATABASE?"),
      ("postgresql:h/d", "begins with two slashes: postgresql://USER@HOST/DATABASE"),
      ("host=h dbname=d", "settings of a connection are no address"),
      ("a.db?mode=ro", "a file takes no parameters"), ("~/a.db", "the shell left the ~ as it is"),
      ("sqlite:///~/a.db", "the shell left the ~ as it is"), (":memory:", "use sqlite:///FILE"),
      ("mysql://h/d", "unknown kind 'mysql'; use sqlite:///FILE"),
    ])
  func advice(text: String, words: String) {
    #expect(reason(text).contains(words), "\(text): \(reason(text))")
  }

  @Test("what is an address stays one")
  func sound() {
    for (text, url) in [
      ("a.db", "sqlite:///a.db"), ("/a.sqlite", "sqlite:////a.sqlite"),
      ("b/a.sqlite3", "sqlite:///b/a.sqlite3"),
      ("sqlite:///a", "sqlite:///a"), ("SQLITE:////a", "sqlite:////a"),
      ("sqlite:///a~b", "sqlite:///a~b"),
    ] { #expect(reason(text) == "read: \(url)") }
  }
}
