// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A storage that is not there yet. The first transaction that writes makes it, so that a study that is
/// refused leaves nothing behind; until then it is empty.
final class UnmadeStore: StudyStore {
  let url: StorageURL
  private let make: @Sendable () throws -> any StudyStore
  private let made = Mutex<(any StudyStore)?>(nil)

  /// A storage of an address, and how it is made.
  init(_ url: StorageURL, make: @escaping @Sendable () throws -> any StudyStore) {
    self.url = url
    self.make = make
  }

  func write<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    let store = try made.withLock { store in
      if let store { return store }
      let new: any StudyStore
      do { new = try make() } catch StudyError.full(let url, let reason) {
        // What is there may get room while one waits; to make a new one nobody waits.
        throw StudyError.database(url: url, reason: "it cannot be made: \(reason); free some space")
      }
      store = new
      return new
    }
    return try store.write(body)
  }

  func read<Result>(_ body: (any StudyTransaction) throws -> Result) throws -> Result {
    guard let store = made.withLock({ $0 }) else { return try MemoryStore().read(body) }
    return try store.read(body)
  }
}
