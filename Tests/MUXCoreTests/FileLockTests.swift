// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXTestSupport
import Testing

@Suite("Locks")
struct FileLockTests {
  @Test("A lock has one owner, and goes with it")
  func exclusion() throws {
    let folder = try TemporaryFolder()
    var first = try FileLock(ifFree: folder("lock"))
    #expect(first != nil)
    #expect(try FileLock(ifFree: folder("lock")) == nil)
    first = nil
    let second = try FileLock(waitingFor: folder("lock"))
    #expect(try FileLock(ifFree: folder("lock")) == nil)
    withExtendedLifetime(second) {}
  }

  @Test("A place where there can be none is an error that names it")
  func absent() throws {
    let folder = try TemporaryFolder()
    #expect {
      _ = try FileLock(waitingFor: folder("none/lock"))
    } throws: { "\($0)" == "cannot lock \(folder("none/lock")): No such file or directory" }
  }

  @Test("A pipe under a lock's name keeps nobody waiting")
  func pipe() throws {
    let folder = try TemporaryFolder()
    #expect(mkfifo(folder("lock"), 0o644) == 0)
    #expect(!FileLock.isHeld(folder("lock")))
  }

  @Test("Whether somebody has it can be asked without taking it")
  func asking() throws {
    let folder = try TemporaryFolder()
    #expect(!FileLock.isHeld(folder("lock")), "a lock that nobody ever had")
    #expect(!FileManager.default.fileExists(atPath: folder("lock")))
    var lock = try FileLock(ifFree: folder("lock"))
    #expect(FileLock.isHeld(folder("lock")) && FileLock.isHeld(folder("lock")))
    withExtendedLifetime(lock) {}
    lock = nil
    #expect(!FileLock.isHeld(folder("lock")))
    #expect(try FileLock(ifFree: folder("lock")) != nil, "asking took nothing")
  }
}
