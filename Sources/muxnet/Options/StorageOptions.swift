// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXStudies
import Synchronization

/// Where studies are kept.
struct StorageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where studies are kept: sqlite:///FILE, FILE.db or postgresql://USER@HOST/DATABASE "
        + "(default: $MUXNET_STORAGE, else runs/studies.db). Put a password into the file that "
        + "PGPASSFILE names, or use --ask-password.",
      valueName: "url"))
  var storage: String?

  @Flag(help: "Ask for the storage's password on the terminal.")
  var askPassword = false

  /// For worker processes, which get the address where no one else can read it.
  @Flag(help: .hidden)
  var storageFromInput = false

  private static let known = Mutex<StorageURL?>(nil)

  /// The storage that is meant.
  ///
  /// - Throws: also where so few files may be open that the database would end the process.
  func url() throws -> StorageURL {
    try OpenFiles.require(12)
    if let known = Self.known.withLock({ $0 }) { return known }
    var url = try address()
    if case .memory = url.kind {
      throw CommandError(
        "storage 'memory:' ends with the command; use sqlite:///FILE or postgresql://…")
    }
    if askPassword, case .sqlite = url.kind {
      throw CommandError("\(url) is a file, which has no password; leave out --ask-password")
    }
    if askPassword { url = try url.withPassword(try PasswordPrompt.ask(for: "\(url)")) }
    Self.known.withLock { $0 = url }
    return url
  }

  /// The address that is meant; an error says where it stands if that is not the command line.
  private func address() throws -> StorageURL {
    let text = try text()
    do { return try StorageURL(text) } catch {
      guard storage == nil, !storageFromInput else { throw error }
      throw CommandError("environment variable MUXNET_STORAGE: \(error)")
    }
  }

  private func text() throws -> String {
    if storageFromInput {
      // From the beginning, since a worker that begins anew reads it again.
      lseek(STDIN_FILENO, 0, SEEK_SET)
      let data = try FileHandle.standardInput.readToEnd() ?? Data()
      return String(decoding: data, as: UTF8.self)
    }
    let environment = ProcessInfo.processInfo.environment["MUXNET_STORAGE"]
    return storage ?? environment.flatMap { $0.isEmpty ? nil : $0 } ?? "runs/studies.db"
  }

  /// The operations on the storage, with some patience while it does not answer.
  func coordinator(for access: StorageAccess, patience: Double = 0) throws -> StudyCoordinator {
    let retry = RetryPolicy(patience: patience) { Console.warning($0) }
    return StudyCoordinator(
      try StudyStorage.open(try url(), for: access), retry: retry, latency: RuntimeLatency())
  }
}
