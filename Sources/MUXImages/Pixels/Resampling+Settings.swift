// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension Interpolation: ChosenSetting {
  package var meaning: String {
    switch self {
    case .nearest: "the nearest pixel"
    case .bilinear: "a triangle filter"
    case .bicubic: "a cubic filter of a = −0.5, Pillow's"
    }
  }
}

extension OrientationHandling: ChosenSetting {
  package var meaning: String {
    switch self {
    case .applied: "images are turned upright"
    case .ignored: "images stay as they are stored, as in torchvision"
    }
  }
}
