// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// A storage that is not there yet. The first transaction that writes makes it, so that a study that is
/// refused, or for which the disk has no room, leaves nothing behind; until then it is empty.
final class UnmadeStore: StudyStore {
  let url: StorageURL
  private let make: @Sendable () throws -> any StudyStore
  private let unmake: @Sendable () -> Void
  private let making = NSLock()
  private let made = Mutex<(any StudyStore)?>(nil)

  /// A storage of an address.
  ///
  /// - Parameters:
  ///   - url: The address.
  ///   - make: What makes it.
  ///   - unmake: Removes what `make` has left where it, or the first transaction, failed.
  init(
    _ url: StorageURL, make: @escaping @Sendable () throws -> any StudyStore,
    unmake: @escaping @Sendable () -> Void = {}
  ) {
    self.url = url
    self.make = make
    self.unmake = unmake
  }

  func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    if let store = made.withLock({ $0 }) { return try store.write(body) }
    making.lock()
    defer { making.unlock() }
    if let store = made.withLock({ $0 }) { return try store.write(body) }
    do { return try first(body) } catch {
      // By now the store is closed.
      unmake()
      guard case StudyError.full(let url, let reason) = error else { throw error }
      // What is there may get room while one waits; to make a new one nobody waits.
      throw StudyError.database(url: url, reason: "it cannot be made: \(reason); free some space")
    }
  }

  private func first<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    let store = try make()
    let result = try store.write(body)
    made.withLock { $0 = store }
    return result
  }

  func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    guard let store = made.withLock({ $0 }) else { return try MemoryStore().read(body) }
    return try store.read(body)
  }
}
