// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The files that the program of an earlier version wrote: `Tests/Fixtures/VERSION`, made once by
/// `scripts/make-fixtures`. Every later version has to read them.
public struct EarlierVersion: Sendable, CustomStringConvertible {
  /// Such as `0.1`.
  public let name: String

  /// The version of that name.
  public init(_ name: String) { self.name = name }

  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures", directoryHint: .isDirectory)

  /// Every version that left files, the oldest first.
  public static let all: [EarlierVersion] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: fixtures.path)) ?? []
    return names.sorted().map { EarlierVersion($0) }
  }()

  /// The path of one of its files.
  public func path(_ file: String) -> String {
    Self.fixtures.appending(path: "\(name)/\(file)").path(percentEncoded: false)
  }

  /// The text of one of its files.
  public func text(_ file: String) throws -> String {
    try String(contentsOfFile: path(file), encoding: .utf8)
  }

  /// Copies a file or folder, since a test that goes on with it must not change it; gives the copy's path.
  public func copy(_ file: String, to folder: TemporaryFolder) throws -> String {
    try FileManager.default.copyItem(atPath: path(file), toPath: folder(file))
    return folder(file)
  }

  /// The name.
  public var description: String { name }
}
