// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Why a list of trainings cannot be begun or go on.
package enum RunListError: Hashable, Sendable, DescribedError {
  /// A name is none for a folder, or is taken.
  case name(String)
  /// What is there was trained with other settings.
  case otherSettings(name: String, folder: String)
  /// A file that says what was done cannot be read.
  case damaged(path: String)

  /// One line: what, where, how to fix.
  package var description: String {
    switch self {
    case .name(let name):
      "'\(name.printable)' cannot be the name of a training in a list; give each a plain name of its own"
    case .otherSettings(let name, let folder):
      "\(name.printable) in \(folder.printable) was started with other settings; take another folder, or give"
        + " the settings that it was started with"
    case .damaged(let path):
      "\(path.printable) is damaged; remove it, and its training is measured again"
    }
  }
}
