// SPDX-License-Identifier: Apache-2.0
internal import CPostgres
import Foundation

/// PostgreSQL's client library, libpq, which is opened when the first study in PostgreSQL is.
package enum PostgresLibrary {
  /// By the loader's ways first, then where Homebrew keeps it.
  #if canImport(Darwin)
    private static let names = [
      "libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib",
      "/usr/local/opt/libpq/lib/libpq.5.dylib",
    ]
    private static let package = "brew install libpq"
  #else
    private static let names = ["libpq.so.5"]
    private static let package = "apt-get install libpq5"
  #endif

  private static let shared = Result { () throws(Missing) in try open(names) }

  /// Why there is no library, nil where there is one.
  package static var absence: String? { absence(of: names) }

  /// Why none of these can be used as the library, nil where one can.
  package static func absence(of names: [String]) -> String? {
    do throws(Missing) { _ = try open(names) } catch { return error.description }
    return nil
  }

  static func functions() throws(Missing) -> mux_libpq { try shared.get() }

  /// The functions of the first library that can be opened.
  static func open(_ names: [String]) throws(Missing) -> mux_libpq {
    let copies = names.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    let functions = UnsafeMutablePointer<mux_libpq>.allocate(capacity: 1)
    defer { functions.deallocate() }
    var reason = [CChar](repeating: 0, count: 512)
    let paths = copies.map { UnsafePointer($0) } + [nil]
    guard mux_libpq_open(paths, functions, &reason, reason.count) == 1 else {
      throw Missing(
        reason: reason.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" })
    }
    return functions.pointee
  }

  /// There is no such library on this machine.
  struct Missing: Error, CustomStringConvertible {
    var reason: String
    var description: String {
      "PostgreSQL's client library libpq is needed (\(package)), or use sqlite:///FILE: \(reason)"
    }
  }
}
