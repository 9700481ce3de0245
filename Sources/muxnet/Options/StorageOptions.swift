// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXStudies

/// Where studies are kept.
struct StorageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where studies are kept: sqlite:///FILE, FILE.db or postgresql://USER@HOST/DATABASE "
        + "(default: $MUXNET_STORAGE, else runs/studies.db).",
      valueName: "url"))
  var storage: String?

  /// The storage that is meant.
  func url() throws -> StorageURL {
    let environment = ProcessInfo.processInfo.environment["MUXNET_STORAGE"]
    let text = storage ?? environment.flatMap { $0.isEmpty ? nil : $0 } ?? "runs/studies.db"
    let url = try StorageURL(text)
    if case .memory = url.kind {
      throw CommandError(
        "storage 'memory:' ends with the command; use sqlite:///FILE or postgresql://…")
    }
    return url
  }

  /// The operations on the storage, with some patience while it does not answer.
  func coordinator(for access: StorageAccess, patience: Double = 0) throws -> StudyCoordinator {
    let retry = RetryPolicy(patience: patience) { Console.warning($0) }
    return StudyCoordinator(try StudyStorage.open(try url(), for: access), retry: retry)
  }
}
