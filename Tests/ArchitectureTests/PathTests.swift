// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Pages for contributors name files; a file that moves takes its name in them along.
@Suite("Paths in documents") struct PathTests {
  static let pages = [
    "CONTRIBUTING.md", "Docs/MAP.md", "Docs/ARCHITECTURE.md", "Docs/KERNELS.md", "Docs/PLAN.md",
  ]

  @Test("every path between back-ticks exists", arguments: pages)
  func exist(page: String) throws {
    let text = try String(contentsOf: Manifest.package.appending(path: page), encoding: .utf8)
    let modules = try FileManager.default.contentsOfDirectory(
      atPath: Manifest.package.appending(path: "Sources").path(percentEncoded: false))
    let roots = ["", "Sources/"] + modules.sorted().map { "Sources/\($0)/" }
    for path in Self.paths(in: text) {
      #expect(roots.contains { Self.exists($0 + path) }, "\(page) names \(path)")
    }
  }

  @Test("the pages that name the most files are read")
  func count() throws {
    let map = try String(
      contentsOf: Manifest.package.appending(path: "Docs/MAP.md"), encoding: .utf8)
    #expect(Self.paths(in: map).count > 100)
  }

  @Test("paths are told from other code")
  func reading() {
    let text = """
      `Docs/PLAN.md`, `Sources/`, `Passes/Lower*.swift`, `scripts/lint`, `.ci/run`
      `make lint`, `[N, C, H, W]`, `MODULE/FILE.swift`, `mux_NAME_body.h`, `x.swift`, `a/b`
      ```sh
      cat `Docs/NONE.md`
      ```
      """
    #expect(
      Self.paths(in: text)
        == ["Docs/PLAN.md", "Sources/", "Passes/Lower*.swift", "scripts/lint", ".ci/run"])
    #expect(Self.fits("LowerPools.swift", pattern: "Lower*.swift"))
    #expect(Self.fits("mux_cells.h", pattern: "*cell*"))
    #expect(!Self.fits("Match.swift", pattern: "Lower*.swift"))
    #expect(!Self.fits("a.c", pattern: "a.c*.c"))
    #expect(!Self.exists("Docs/NONE.md"))
    #expect(!Self.exists("Docs/NONE*.md"))
  }

  /// What stands between back-ticks and looks like a path: outside of blocks of code, with a slash and a known
  /// ending, and no placeholder such as `NAME` in it.
  static func paths(in text: String) -> [String] {
    let endings: Set<Substring> = [
      "c", "cpp", "csv", "def", "h", "json", "md", "py", "swift", "yaml", "yml",
    ]
    let folders: Set<Substring> = [".ci", "scripts"]
    var found: [String] = []
    var isCode = false
    for line in text.split(separator: "\n") {
      if line.contains("```") {
        isCode.toggle()
        continue
      }
      if isCode { continue }
      for (index, part) in line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      where index % 2 == 1 && part.contains("/") {
        guard part.wholeMatch(of: /[A-Za-z0-9_.*+\-\/]+/) != nil,
          part.firstMatch(of: /(?:^|[\/_.])(?:NAME|MODULE|SUITE)(?:$|[\/_.])/) == nil
        else { continue }
        let components = part.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = components.first, let last = components.last else { continue }
        let ending = last.split(separator: ".").last ?? ""
        if last.isEmpty || folders.contains(first)
          || (last.contains(".") && endings.contains(ending))
        {
          found.append(String(part))
        }
      }
    }
    return found
  }

  /// Whether there is a file or folder of a path in the package; a last component with stars stands for any that
  /// it fits.
  static func exists(_ path: String) -> Bool {
    let location = Manifest.package.appending(path: path)
    guard path.contains("*") else {
      return FileManager.default.fileExists(atPath: location.path(percentEncoded: false))
    }
    let folder = location.deletingLastPathComponent().path(percentEncoded: false)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains { fits($0, pattern: location.lastPathComponent) }
  }

  /// Whether a name is a pattern's, in which a star stands for any characters.
  static func fits(_ name: String, pattern: String) -> Bool {
    let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
    guard let first = parts.first, let last = parts.last, parts.count > 1 else {
      return name == pattern
    }
    guard name.hasPrefix(first) else { return false }
    var rest = name.dropFirst(first.count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let place = rest.range(of: part) else { return false }
      rest = rest[place.upperBound...]
    }
    return rest.hasSuffix(last)
  }
}
