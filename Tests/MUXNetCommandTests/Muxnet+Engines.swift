// SPDX-License-Identifier: Apache-2.0
import MUXTestSupport

extension Muxnet {
  /// The engines that this build has.
  static var engines: [String] {
    #if TORCH
      ["runtime", "torch"]
    #else
      ["runtime"]
    #endif
  }
}
