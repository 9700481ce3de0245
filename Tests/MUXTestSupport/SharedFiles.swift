// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Files that are not part of the package: data sets, layer tables, outputs of the authors' code.
/// They lie in the folder that `MUXNET_SHARED` names, or in `shared` beside the package. Tests that
/// need them are skipped, with a reason, where they are absent.
public enum Shared {
  /// Why a test that needs them is skipped; `.ci/run` looks for these words where the folder is there.
  public static let absent = "files that are not part of the package are not beside it"

  /// The folder, whether it is there or not.
  public static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["MUXNET_SHARED"] {
      return URL(filePath: path, directoryHint: .isDirectory)
    }
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.deletingLastPathComponent().appending(
      path: "shared", directoryHint: .isDirectory)
  }()

  /// The path of a file or folder in it, such as `data/cifar10-images.tar.gz`.
  public static func path(_ name: String) -> String {
    folder.appending(path: name).path(percentEncoded: false)
  }

  /// Whether a file or folder in it is there.
  public static func has(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path(name))
  }
}

/// Inputs, weights, outputs and gradients of the authors' code.
public enum Reference {
  /// Whether they are there.
  public static let isPresent = Shared.has("reference")

  /// The path of one of the files.
  public static func path(_ name: String) -> String { Shared.path("reference/\(name)") }
}
