// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension OverlapCrop.Rule: ChosenSetting {
  package var meaning: String {
    switch self {
    case .someObject: "the overlap of some object with the crop reaches the bound"
    case .asPublished: "any crop that shows the centre of an object, as in several public programs"
    }
  }
}
