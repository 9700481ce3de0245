// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Options that would be passed over: who gives one expects that it does something.
enum UnusedOptions {
  /// Refuses options that have nothing to do in a command line.
  ///
  /// - Parameters:
  ///   - given: Names without dashes, and whether they were given.
  ///   - reason: Why they do nothing, as the beginning of a sentence.
  static func refuse(
    _ given: [(name: String, isGiven: Bool)], because reason: @autoclosure () -> String
  ) throws {
    let names = given.filter(\.isGiven).map { "--\($0.name)" }
    guard !names.isEmpty else { return }
    throw ValidationError("\(reason()); leave out \(names.joined(separator: ", "))")
  }
}
