// SPDX-License-Identifier: Apache-2.0

/// Words of commands that people copy into a shell.
enum ShellWord {
  /// The text as it is, or in quotation marks where the shell would read it in another way.
  static func quoted(_ text: String) -> String {
    let isPlain = text.allSatisfy { character in
      character.isASCII
        && (character.isLetter || character.isNumber || "-_./:@%+=".contains(character))
    }
    return isPlain && !text.isEmpty ? text : "'\(text.replacing("'", with: "'\\''"))'"
  }
}
