// SPDX-License-Identifier: Apache-2.0
import MUXCore

extension ChestXRay14.Split: ChosenSetting {
  package var meaning: String {
    switch self {
    case .official: "NIH's test patients; validation images are held out from the others"
    case .arnoweng: "the 70, 10 and 20 % of arnoweng/CheXNet, which published results follow"
    case .seed: "by patient with splitSeed and the fractions"
    }
  }
}
