// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The examples in Swift of a page, beside the file of tests in which they compile.
public struct PageExamples {
  /// How many examples the page has.
  public let count: Int
  /// Their lines that do not stand in the file of tests, without comments and imports.
  public let missing: [String]

  /// - Parameters:
  ///   - page: The page, below the package.
  ///   - file: The file of tests; what it declares may be `private` there.
  public init(of page: String, in file: String = #filePath) throws {
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: package.appending(path: page), encoding: .utf8)
    let here = Set(Self.lines(try String(contentsOfFile: file, encoding: .utf8)[...]))
    let blocks = text.split(separator: "```swift\n").dropFirst().map { $0.prefix { $0 != "`" } }
    count = blocks.count
    missing = blocks.flatMap(Self.lines).filter {
      !here.contains($0) && !here.contains("private \($0)")
    }
  }

  private static func lines(_ text: Substring) -> [String] {
    text.split(separator: "\n").map { line in
      let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
      return code.trimmingCharacters(in: .whitespaces)
    }.filter { !$0.isEmpty && !$0.hasPrefix("import ") }
  }
}
