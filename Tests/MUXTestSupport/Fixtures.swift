// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Files that earlier versions of the program wrote; they stay readable for ever.
public enum Fixture {
  /// A file of a version, such as `networks/every_operation.json` of `0.1`.
  public static func url(_ name: String, version: String = "0.1") -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/\(version)/\(name)")
  }

  /// The text of a file.
  public static func text(_ name: String, version: String = "0.1") throws -> String {
    try String(contentsOf: url(name, version: version), encoding: .utf8)
  }
}
