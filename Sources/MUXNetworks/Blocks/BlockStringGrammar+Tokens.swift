// SPDX-License-Identifier: Apache-2.0

extension BlockStringGrammar {
  /// A token of block strings, for people.
  package struct Token: Sendable {
    package let examples: [String]
    /// What it sets.
    package let meaning: String
    /// What holds without it; nil where it is required.
    package let usual: String?
  }

  /// All tokens, in the order in which a block string has them.
  package static let tokens: [Token] = [
    Token(
      examples: ["cn", "ds", "dsa", "ir", "mux"], meaning: "the kind of block, first", usual: nil),
    Token(examples: ["r2"], meaning: "repeats", usual: "1"),
    Token(
      examples: ["k3", "k3.5.7"],
      meaning: "kernel size, or several mixed over the channels (or one per scale)", usual: "3"),
    Token(examples: ["s2"], meaning: "stride of the first repeat", usual: "1"),
    Token(examples: ["e6", "e2.5"], meaning: "expansion ratio (ir, mux)", usual: "1"),
    Token(examples: ["c40"], meaning: "output channels, required", usual: nil),
    Token(
      examples: ["se0.75"],
      meaning: "squeeze-and-excitation ratio of the (processed) input channels", usual: "0"),
    Token(
      examples: ["nre", "nr6", "nsw", "nhs"], meaning: "activation: ReLU, ReLU6, swish, hard swish",
      usual: "the network's"),
    Token(examples: ["noskip"], meaning: "no residual sum", usual: "with it"),
    Token(examples: ["l0.25"], meaning: "leave-out ratio (mux)", usual: "0.5"),
    Token(
      examples: ["gw2"], meaning: "channels per group of the spatial convolution (ir, mux)",
      usual: "1"),
    Token(examples: ["sg2"], meaning: "groups of the channel shuffle (mux)", usual: "2"),
    Token(
      examples: ["a1.1"], meaning: "a 1×1 expansion for each of as many equal groups (ir)",
      usual: "a1"),
    Token(
      examples: ["p1.1"], meaning: "a 1×1 projection for each of as many equal groups (ir)",
      usual: "p1"),
    Token(
      examples: ["sc-1.0.0.1"],
      meaning: "scales of spatial multiplexing: −1 subpixel, 0 plain, 1 superpixel (ir, mux)",
      usual: "none"),
    Token(examples: ["f2"], meaning: "r, the side of multiplexed windows (ir, mux)", usual: "2"),
  ]
}
