// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// The libtorch of this process: its version and its threads.
public enum TorchRuntime {
  /// The version whose headers the package was compiled with, as `MAJOR.MINOR.PATCH`.
  public static var compiledVersion: String { String(cString: ct_version_compiled()) }

  /// The version of the library, which is loaded now if it was not yet.
  public static func runningVersion() throws(TorchError) -> String {
    if let absence = ct_absence() { throw .missing(String(cString: absence)) }
    var text: UnsafeMutablePointer<CChar>?
    try succeed(ct_version_running(&text))
    guard let text else { throw .operation("libtorch does not name its version") }
    defer { ct_free_text(text) }
    return String(cString: text)
  }

  /// Throws `TorchError.version` where the library is of another minor version than the headers:
  /// its binary interface changes with those. Every tensor creation checks this first.
  public static func check() throws(TorchError) {
    if let failure = versionFailure { throw failure }
  }

  /// Threads that one operation of the calling thread is spread over. libtorch's own default is one
  /// per core.
  public static var threads: Int { Int(ct_threads()) }

  /// Sets the threads of one operation, for the calling thread and for threads that have not called
  /// libtorch yet. Threads that have set a number of their own keep it.
  public static func setThreads(_ count: Int) throws(TorchError) {
    try check()
    try succeed(ct_set_threads(Int32(clamping: count)))
  }

  /// Keeps freed memory for the next step instead of returning it to the system (glibc only), for
  /// the whole process. Training allocates the same large tensors in every step; this saves about a
  /// tenth of its time, at the price of a process that does not shrink.
  public static func keepFreedMemory() {
    ct_keep_freed_memory()
  }

  private static let versionFailure: TorchError? = {
    do throws(TorchError) {
      let found = try runningVersion()
      let needed = compiledVersion
      return minor(found) == minor(needed) ? nil : .version(found: found, needed: needed)
    } catch {
      return error
    }
  }()

  private static func minor(_ version: String) -> [Substring] {
    Array(version.split(separator: ".").prefix(2))
  }
}
