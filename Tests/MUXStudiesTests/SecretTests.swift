// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies
import MUXStudyTestSupport
import MUXTestSupport
import Testing

/// A password in every spelling of an address is looked for in everything that the library makes of it. What
/// commands print of it is tested with them.
@Suite("Passwords of storages reach nobody", .tags(.waits), .endsSometime, .onWaitingThreads)
struct SecretTests {
  @Test("No text of an address has it, nor has an error", arguments: PlantedPassword.spellings)
  func texts(spelling: String) throws {
    var shown = [StorageURL.shown(spelling)]
    do {
      let url = try StorageURL(spelling)
      shown += ["\(url)", url.description, url.debugDescription, String(reflecting: url)]
      shown += ["\(url.kind)", String(reflecting: url.kind), "\(Optional(url) as Any)", "\([url])"]
      var dumped = ""
      dump(url, to: &dumped)
      shown.append(dumped)
      shown.append(String(decoding: try JSONEncoder().encode([url]), as: UTF8.self))
      #expect(url.textWithSecrets.contains(PlantedPassword.secret), "it is not lost either")
      do {
        _ = try StudyStorage.open(url, for: .read)
        Issue.record("\(url) was opened")
      } catch {
        shown += ["\(error)", String(reflecting: error), error.localizedDescription]
      }
    } catch let error as StudyError {
      shown += ["\(error)", String(reflecting: error), error.localizedDescription]
    }
    for text in shown { #expect(!text.contains(PlantedPassword.secret), "\(text)") }
  }

  @Test("What is read is what was meant")
  func parts() throws {
    func text(_ url: String) throws -> String { "\(try StorageURL(url))" }
    try #expect(text("postgresql://me@h/d") == "postgresql://me@h/d")
    try #expect(text("postgresql://h") == "postgresql://h")
    try #expect(text("postgresql:///d") == "postgresql:///d")
    try #expect(
      text("postgresql://me:x@a:1,[::1]:2,c/d?sslmode=require&connect_timeout=3&options=y")
        == "postgresql://me:***@a:1,[::1]:2,c/d?sslmode=require&connect_timeout=3")
    try #expect(text("postgresql://%2Fvar%2Frun/d") == "postgresql://%2Fvar%2Frun/d")
    try #expect(text("postgresql://h/my%20db") == "postgresql://h/***")
    let asked = try StorageURL("postgresql://me@h:5/d?sslmode=require").withPassword("a b@c/d")
    #expect("\(asked)" == "postgresql://me:***@h:5/d?sslmode=require")
    let again = try StorageURL(asked.textWithSecrets)
    #expect(again.textWithSecrets == asked.textWithSecrets)
    #expect(throws: StudyError.self) { try StorageURL("a.db").withPassword("x") }
  }
}
