// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Docs/MIGRATION.md against `Fixtures/0.1/public-types.txt`, the public types that 0.1.0 had.
@Suite("Migration") struct MigrationTests {
  struct OldType: Sendable, CustomTestStringConvertible {
    var module: String
    /// Dotted, where it lies in another type.
    var name: String
    var testDescription: String { "\(module).\(name)" }
  }

  static func oldTypes() throws -> [OldType] {
    let file = Manifest.package.appending(path: "Tests/Fixtures/0.1/public-types.txt")
    return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
      let words = line.split(separator: " ")
      try #require(words.count == 2, "\(line)")
      return OldType(module: String(words[0]), name: String(words[1]))
    }
  }

  @Test("every public type of 0.1.0 is public in the same module, or stands on the page")
  func types() throws {
    let page = try String(
      contentsOf: Manifest.package.appending(path: "Docs/MIGRATION.md"), encoding: .utf8)
    let listed = Self.listed(in: page)
    let modules = try Manifest.current.get().modules
    let old = try Self.oldTypes()
    #expect(old.count > 400)
    for (module, types) in Dictionary(grouping: old, by: \.module) {
      let files = try modules[module].map(SourceFile.files) ?? []
      let declared = Set(files.flatMap { Self.publicTypes(in: $0.code) })
      for type in types where !declared.contains(String(type.name.split(separator: ".").last ?? ""))
      {
        // A type that lies in another one goes with it.
        let parts = type.name.split(separator: ".")
        let names = parts.indices.map { parts[...$0].joined(separator: ".") }
        #expect(
          !listed[module, default: []].isDisjoint(with: names),
          "\(module).\(type.name) is no longer public there; Docs/MIGRATION.md says nothing of it")
      }
    }
  }

  @Test("the page lists only what 0.1.0 had")
  func rows() throws {
    let page = try String(
      contentsOf: Manifest.package.appending(path: "Docs/MIGRATION.md"), encoding: .utf8)
    let names = Dictionary(grouping: try Self.oldTypes(), by: \.module)
      .mapValues { Set($0.map(\.name)) }
    let listed = Self.listed(in: page)
    #expect(listed.count > 5)
    for (module, types) in listed {
      #expect(names[module] != nil, "\(module)")
      // Members and other code may stand beside the types.
      let unknown = types.subtracting(names[module] ?? []).filter {
        $0.wholeMatch(of: /[A-Z][A-Za-z0-9]*/) != nil
      }
      #expect(unknown.isEmpty, "\(module): \(unknown.sorted())")
    }
  }

  @Test("public types are found in code, and names in rows")
  func reading() {
    let code = """
      public struct One {
        public indirect enum Two {}
      }
      @frozen public final class Three {}
      package struct Four {}
      public func five() {}
      """
    #expect(Self.publicTypes(in: code) == ["One", "Two", "Three"])
    let page = """
      | `MUXA`: `One`, `Two(width:)` | `Other` of `MUXB` |
      | `One.member` | `other` |
      """
    #expect(Self.listed(in: page) == ["MUXA": ["One", "Two"]])
  }

  /// The names of the types that code declares public.
  private static func publicTypes(in code: String) -> Set<String> {
    Set(
      code.matches(
        of: /public (?:(?:final|indirect) )?(?:class|struct|enum|actor|protocol|typealias) (\w+)/
      ).map { String($0.1) })
  }

  /// By module: what stands in the first cells of rows that begin with a module, without arguments.
  private static func listed(in page: String) -> [String: Set<String>] {
    var result: [String: Set<String>] = [:]
    for line in page.split(separator: "\n") {
      guard let cell = line.firstMatch(of: /^\| (`MUX\w+`: [^|]*)\|/)?.1 else { continue }
      let names = cell.matches(of: /`([A-Za-z0-9.]+)[^`]*`/).map { String($0.1) }
      guard let module = names.first else { continue }
      result[module, default: []].formUnion(names.dropFirst())
    }
    return result
  }
}
