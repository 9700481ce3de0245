// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import MUXStudies
import Synchronization

/// What a check throws itself.
private struct Stop: Error {}

/// Runs something on so many threads that begin together. A pool may run it one after the other where the
/// machine is busy, and then shows nothing.
private func atOnce(_ count: Int, _ body: @escaping @Sendable () -> Void) {
  let ready = DispatchGroup(), done = DispatchGroup()
  for _ in 0..<count {
    ready.enter()
    done.enter()
  }
  for _ in 0..<count {
    Thread.detachNewThread {
      ready.leave()
      ready.wait()
      body()
      done.leave()
    }
  }
  done.wait()
}

extension StoreContract {
  static let transactionChecks = [
    StoreCheck("an error undoes the whole transaction, and comes out of it") { store in
      var study = try SampleStudy.study("a")
      study.id = try store.write { try $0.insert(study) }
      do {
        try store.write { transaction in
          try transaction.insert(SampleStudy.trial(0), into: study.id)
          try transaction.save(SampleStudy.state(9), of: study.id)
          var renamed = study
          renamed.name = "b"
          _ = try transaction.insert(renamed)
          throw Stop()
        }
        throw store.fail("the error of a transaction does not come out of it")
      } catch is Stop {}
      func check(_ transaction: any StudyTransaction) throws {
        try store.expect(transaction.counts(of: study.id), is: [:], "trials of an undone one")
        try store.expect(transaction.algorithm(of: study.id), is: nil, "states of an undone one")
        try store.expect(transaction.studies(), is: [study], "the studies")
      }
      try store.read(check)
      try store.write(check)
    },
    StoreCheck("a transaction sees what it wrote itself, and gives its result") { store in
      let id = try store.insertStudy()
      let counts = try store.write { transaction in
        try transaction.insert(SampleStudy.trial(0), into: id)
        return try transaction.counts(of: id)
      }
      try store.expect(counts, is: [.waiting: 1], "the counts within the transaction")
    },
    StoreCheck("the clock goes on, and is that of the storage's machine") { store in
      let earlier = try store.read { try $0.now() }
      let later = try store.write { try $0.now() }
      try store.expect(later >= earlier, "the clock does not go back")
      // A day, since machines need not agree: a clock in other units is wrong by more.
      try store.expect(abs(later.timeIntervalSinceNow) < 86_400, "the clock tells today's time")
    },
    StoreCheck("what one handle wrote another one reads", needsSharedStorage: true) { store in
      let id = try store.insertStudy()
      let second = try store.storage.open(.write)
      try second.write { try $0.insert(SampleStudy.trial(0), into: id) }
      try store.expect(
        try store.read { try $0.counts(of: id) }, is: [.waiting: 1], "trials of another handle")
      let reader = try store.storage.open(.read)
      try store.expect(try reader.read { try $0.studies() }.count, is: 1, "what a reader sees")
      try store.expectError("writing by a reader") { try reader.write { try $0.delete(id) } }
      try store.expect(
        try store.read { try $0.studies() }.count, is: 1, "the studies after a reader's write")
    },
    StoreCheck("transactions on one study come one after the other") { store in
      let id = try store.insertStudy()
      let errors = Mutex<[String]>([])
      // A lost update would leave fewer than 200 steps.
      atOnce(4) {
        do {
          let own = store.storage.isShared ? try store.storage.open(.write) : store.first
          for _ in 0..<50 {
            try own.write { transaction in
              _ = try transaction.lock(id)
              let revision = try transaction.algorithmRevision(of: id)
              try transaction.save(SampleStudy.state(revision + 1), of: id)
            }
          }
        } catch {
          errors.withLock { $0.append("\(error)") }
        }
      }
      try store.expect(errors.withLock { $0 }, is: [], "the errors of writers at once")
      try store.expect(
        try store.read { try $0.algorithmRevision(of: id) }, is: 200, "steps of four writers")
    },
  ]
}
