// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import Testing

@Suite("Block strings")
struct BlockStringTests {
  @Test(
    "Canonical strings round-trip",
    arguments: [
      "ds_k3_c24_se0.25_nre", "ir_k3.5.7.9.11_s2_e4_c160_se0.75_nsw",
      "mux_r3_k5_e6_c80_se0.75_nsw_gw2", "mux_r2_k3_e4_c16_l0.25_sc-1.0.0.1",
      "ir_k3_e2.5_c80_nhs_noskip", "mux_k3.5.7_e6_c48_sg4_sc-1.0.1_f3", "cn_k1_c960_nhs",
    ])
  func roundTrip(text: String) throws {
    #expect(try BlockSpecification(text).description == text)
  }

  @Test("Every combination of settings survives writing and reading")
  func exhaustive() throws {
    for kind in BlockSpecification.Kind.allCases {
      for kernels in [[3], [5], [3, 5, 7]] {
        for activation in [nil, Activation.relu, .relu6, .swish, .hardSwish] {
          for flag in [false, true] {
            let expands = kind == .mux || kind == .invertedResidual
            let block = BlockSpecification(
              kind, channels: 40, repeats: flag ? 3 : 1, kernelSizes: kernels,
              stride: kind != .mux && flag ? 2 : 1, expansion: expands && flag ? 3.67 : 1,
              squeezeRatio: kind != .convolution && flag ? 0.75 : 0, activation: activation,
              skipsResidual: flag, leaveOutRatio: flag ? 0.3 : 0.5,
              groupWidth: expands && flag ? 2 : 1, shuffleGroups: flag ? 4 : 2,
              expansionGroups: kind == .invertedResidual && flag ? 2 : 1,
              projectionGroups: kind == .invertedResidual && flag ? 3 : 1,
              scales: expands && flag ? [.subpixel, .none, .superpixel] : [])
            #expect(try BlockSpecification(block.description) == block)
          }
        }
      }
    }
  }

  @Test(
    "Errors name the token's position and what is wrong",
    arguments: [
      ("xx_k3_c16", 0, "a block starts with one of cn, ds, dsa, ir, mux, not 'xx'"),
      ("ir_k3_q4_c16", 6, "unknown token 'q4'"),
      ("ir_k3_c16_c24", 10, "'c' stands twice"),
      ("ir_k4_c16", 4, "a kernel size is odd and at most 31, not 4"),
      ("ir_k3", 5, "the output channels are missing; add c and a number"),
      ("ds_k3_e4_c16", 6, "a 'ds' block has no setting 'e'"),
      ("mux_k3_c16_sc-2.0", 13, "a scale is -1, 0 or 1, not '-2'"),
      ("ir_k3_c16_nxy", 11, "unknown activation 'xy'; use re, r6, sw or hs"),
      ("ir_k3_a1.2_c16", 7, "'a' takes a 1 for each group, such as a1.1, not '1.2'"),
      ("mux_k3_p1.1_c16", 7, "a 'mux' block has no setting 'p'"),
      ("ir_k3_c0", 7, "'c' takes a whole number from 1 to 1048576, not '0'"),
      ("ir_r1001_k3_c8", 4, "'r' takes a whole number from 1 to 1000, not '1001'"),
      ("ir_k3_c16__s2", 10, "unknown token ''"),
    ])
  func errors(text: String, offset: Int, reason: String) {
    #expect(throws: NetworkError.blockString(text: text, offset: offset, reason: reason)) {
      try BlockSpecification(text)
    }
  }

  @Test("A superpixel branch whose channels do not divide is an error that names the layer")
  func divisibility() throws {
    var architecture = Architecture(
      name: "odd", stem: .init(channels: 16),
      stages: [[try BlockSpecification("mux_k3_e1_c16_sc-1.0.0.1")]],
      head: .init(channels: 0))
    architecture.classes = 10
    #expect {
      try architecture.network()
    } throws: { error in
      "\(error)".hasPrefix(
        "layer 'blocks.0.0.conv_dw': the superpixel branch needs a multiple of 4")
    }
  }

  @Test("The tokens that are told about are those of the grammar's documentation, and are read")
  func tokens() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let source = try String(
      contentsOf: folder.appending(path: "Sources/MUXNetworks/Blocks/BlockStringGrammar.swift"),
      encoding: .utf8)
    let rows = source.split(separator: "\n").filter { $0.hasPrefix("/// | `") }.map {
      String($0.replacing("`", with: ""))
    }
    let told = BlockStringGrammar.tokens.map {
      "/// | \($0.examples.joined(separator: ", ")) | \($0.meaning) | \($0.usual ?? "–") |"
    }
    #expect(rows == told)
    for token in BlockStringGrammar.tokens.dropFirst() {
      for example in token.examples {
        let isMux = token.meaning.contains("mux") && !token.meaning.contains("(ir)")
        let start = isMux && !token.meaning.contains("ir, mux") ? "mux" : "ir"
        let block = example.hasPrefix("c4") ? "\(start)_\(example)" : "\(start)_\(example)_c40"
        #expect(throws: Never.self, "\(block)") { try BlockStringGrammar.parse(block) }
      }
    }
  }
}
