// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A Swift file of the package, without its comments and texts.
struct SourceFile {
  /// From the package's folder.
  let path: String
  /// The folder within its module, such as `Graph`; empty beside the module's folders.
  let folder: String
  /// The code.
  let code: String
  /// The texts between quotes, with the numbers of their lines.
  let texts: [(line: Int, text: String)]

  /// The Swift files of a module.
  static func files(of module: Manifest.Module) throws -> [SourceFile] {
    let root = Manifest.package.appending(path: module.folder)
    let names = FileManager.default.enumerator(atPath: root.path(percentEncoded: false))
    return try (names?.compactMap { $0 as? String } ?? [])
      .filter { $0.hasSuffix(".swift") && !$0.hasPrefix("Generated/") }.sorted().map { name in
        SourceFile(
          path: "\(module.folder)/\(name)", folder: (name as NSString).deletingLastPathComponent,
          text: try String(contentsOf: root.appending(path: name), encoding: .utf8))
      }
  }

  init(path: String, folder: String, text: String) {
    self.path = path
    self.folder = folder
    (code, texts) = Self.parts(of: text)
  }

  /// The modules that the file imports.
  var imports: Set<String> {
    Set(
      code.split(separator: "\n").compactMap { line in
        let words = line.split(separator: " ")
        guard let position = words.firstIndex(of: "import"),
          words[..<position].allSatisfy({ Self.beforeImport.contains($0) || $0.hasPrefix("@") }),
          let last = words.last, position + 1 < words.count
        else { return nil }
        // `import struct Foundation.Data` imports Foundation.
        return last.split(separator: ".").first.map(String.init)
      })
  }

  /// What the file asks about with `#if`.
  var conditions: Set<String> {
    Set(
      code.split(separator: "\n").filter { $0.contains("#if") || $0.contains("#elseif") }
        .flatMap { $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init) })
  }

  /// The types and functions that the file declares and that other files can name.
  var declarations: Set<String> {
    Set(
      code.split(separator: "\n").compactMap { line in
        guard line.first != " ", !line.contains("private ") else { return nil }
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
        guard let keyword = words.firstIndex(where: Self.declaring.contains), keyword < 4,
          keyword + 1 < words.count, !words.contains("import")
        else { return nil }
        return String(words[keyword + 1])
      })
  }

  /// Every name in the file.
  var words: Set<String> {
    Set(code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init))
  }

  private static let beforeImport: Set<Substring> = [
    "public", "package", "internal", "private", "fileprivate",
  ]
  private static let declaring: Set<Substring> = [
    "struct", "enum", "class", "protocol", "actor", "typealias", "func",
  ]

  /// The text without comments and without what stands between quotes, and that itself.
  private static func parts(of text: String) -> (code: String, texts: [(line: Int, text: String)]) {
    var code = ""
    var texts: [(Int, String)] = []
    var isQuoted = false
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      if line.contains("\"\"\"") {
        isQuoted.toggle()
      } else if isQuoted {
        texts.append((index + 1, String(line)))
      } else {
        let (own, quoted) = parts(ofLine: line)
        code += own + "\n"
        texts += quoted.map { (index + 1, $0) }
      }
    }
    return (code, texts)
  }

  private static func parts(ofLine line: Substring) -> (code: String, texts: [String]) {
    var code = ""
    var texts: [String] = []
    var isText = false
    var isEscaped = false
    for character in line {
      if isText {
        if character == "\"" && !isEscaped {
          isText = false
        } else {
          texts[texts.count - 1].append(character)
        }
        isEscaped = character == "\\" && !isEscaped
      } else if character == "\"" {
        isText = true
        isEscaped = false
        texts.append("")
      } else {
        code.append(character)
        if code.hasSuffix("//") { return (String(code.dropLast(2)), texts) }
      }
    }
    return (code, texts)
  }
}
