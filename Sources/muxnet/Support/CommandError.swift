// SPDX-License-Identifier: Apache-2.0

/// A failure that only the command line knows: exit code 1.
struct CommandError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
