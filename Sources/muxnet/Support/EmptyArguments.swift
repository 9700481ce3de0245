// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Words of the command line that are empty: most often what a variable of a shell should have filled.
/// No option and no argument has a meaning for them, and some defaults would silently take their place.
enum EmptyArguments {
  /// - Parameter words: The command line without the program's name.
  static func refuse(_ words: [String]) throws {
    // Scripts for completions hand over what was typed so far.
    guard words.first != "---completion" else { return }
    for (index, word) in words.enumerated() {
      if word.isEmpty {
        let before = index > 0 ? words[index - 1] : ""
        let place = isOption(before) ? "after \(before)" : "as argument \(index + 1)"
        throw ValidationError(
          "an empty text was given \(place); give a value, or leave it out (is a variable empty?)")
      }
      if word.hasPrefix("--"), word.hasSuffix("="), !word.dropLast().contains("=") {
        throw ValidationError(
          "an empty text was given after \(word); give a value, or leave the option out (is a variable"
            + " empty?)")
      }
    }
  }

  private static func isOption(_ word: String) -> Bool {
    word.hasPrefix("-") && word.count > 1 && word != "--" && !word.contains("=")
  }
}
