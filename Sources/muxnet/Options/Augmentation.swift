// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXEvaluation

/// Views of an image, by the names that users type.
enum Augmentation: String, CaseIterable, ExpressibleByArgument {
  case none, flip
  case tenCrop = "ten-crop"

  var value: TestAugmentation {
    switch self {
    case .none: .none
    case .flip: .flip
    case .tenCrop: .tenCrop
    }
  }
}
