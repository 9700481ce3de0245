// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks

extension BlockStringGrammar {
  /// The tokens of block strings, for the help of commands.
  static var help: String {
    "BLOCK STRINGS: a kind, then tokens, joined by underscores (ir_r2_k3_e4_c24)\n"
      + tokens.map { token in
        let examples = token.examples.joined(separator: " ")
        let usual = token.usual.map { "; default: \($0)" } ?? ""
        return
          "  \(examples.padding(toLength: 18, withPad: " ", startingAt: 0))\(token.meaning)\(usual)"
      }.joined(separator: "\n")
  }
}
