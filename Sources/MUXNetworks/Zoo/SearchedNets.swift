// SPDX-License-Identifier: Apache-2.0

/// Networks that other searches found: MnasNet (Tan et al. 2019), FBNet (Wu et al. 2019),
/// EfficientNet (Tan and Le 2019), MixNet (Tan and Le 2019), as in timm.
enum SearchedNets {
  /// MnasNet-A1: 3,887,038 parameters, 311,579,072 multiply-adds.
  static func mnasNetA1() throws(NetworkError) -> Architecture {
    try architecture(
      "semnasnet_100", stem: 32,
      [
        ["ds_k3_c16_noskip"], ["ir_r2_k3_s2_e6_c24"], ["ir_r3_k5_s2_e3_c40_se0.25"],
        ["ir_r4_k3_s2_e6_c80"], ["ir_r2_k3_e6_c112_se0.25"], ["ir_r3_k5_s2_e6_c160_se0.25"],
        ["ir_k3_e6_c320"],
      ])
  }

  /// MnasNet-B1: 4,383,312 parameters, 314,415,872 multiply-adds.
  static func mnasNetB1() throws(NetworkError) -> Architecture {
    try architecture(
      "mnasnet_100", stem: 32,
      [
        ["ds_k3_c16_noskip"], ["ir_r3_k3_s2_e3_c24"], ["ir_r3_k5_s2_e3_c40"],
        ["ir_r3_k5_s2_e6_c80"], ["ir_r2_k3_e6_c96"], ["ir_r4_k5_s2_e6_c192"],
        ["ir_k3_e6_c320_noskip"],
      ])
  }

  /// FBNet-C: 5,572,200 parameters, 384,960,160 multiply-adds.
  static func fbNetC() throws(NetworkError) -> Architecture {
    try architecture(
      "fbnetc_100", stem: 16, head: 1984,
      [
        ["ir_k3_c16"],
        ["ir_k3_s2_e6_c24", "ir_r2_k3_c24"],
        ["ir_k5_s2_e6_c32", "ir_k5_e3_c32", "ir_k5_e6_c32", "ir_k3_e6_c32"],
        ["ir_k5_s2_e6_c64", "ir_k5_e3_c64", "ir_r2_k5_e6_c64"],
        ["ir_r3_k5_e6_c112", "ir_k5_e3_c112"],
        ["ir_r4_k5_s2_e6_c184"],
        ["ir_k3_e6_c352"],
      ])
  }

  /// EfficientNet-B0: 5,288,548 parameters, 385,814,752 multiply-adds.
  static func efficientNetB0() throws(NetworkError) -> Architecture {
    try architecture(
      "efficientnet_b0", stem: 32, headWidth: .scaled, activation: .swish,
      [
        ["ds_k3_c16_se0.25"], ["ir_r2_k3_s2_e6_c24_se0.25"], ["ir_r2_k5_s2_e6_c40_se0.25"],
        ["ir_r3_k3_s2_e6_c80_se0.25"], ["ir_r3_k5_e6_c112_se0.25"],
        ["ir_r4_k5_s2_e6_c192_se0.25"], ["ir_k3_e6_c320_se0.25"],
      ])
  }

  /// MixNet-S: 4,134,606 parameters, 239,173,360 multiply-adds.
  static func mixNetS() throws(NetworkError) -> Architecture {
    try architecture(
      "mixnet_s", stem: 16, head: 1536,
      [
        ["ds_k3_c16"],
        ["ir_k3_a1.1_p1.1_s2_e6_c24", "ir_k3_a1.1_p1.1_e3_c24"],
        ["ir_k3.5.7_s2_e6_c40_se0.5_nsw", "ir_r3_k3.5_a1.1_p1.1_e6_c40_se0.5_nsw"],
        ["ir_k3.5.7_p1.1_s2_e6_c80_se0.25_nsw", "ir_r2_k3.5_p1.1_e6_c80_se0.25_nsw"],
        [
          "ir_k3.5.7_a1.1_p1.1_e6_c120_se0.5_nsw", "ir_r2_k3.5.7.9_a1.1_p1.1_e3_c120_se0.5_nsw",
        ],
        ["ir_k3.5.7.9.11_s2_e6_c200_se0.5_nsw", "ir_r2_k3.5.7.9_p1.1_e6_c200_se0.5_nsw"],
      ])
  }

  /// MixNet-M: 5,014,382 parameters, 339,172,672 multiply-adds.
  static func mixNetM() throws(NetworkError) -> Architecture {
    try architecture(
      "mixnet_m", stem: 24, head: 1536,
      [
        ["ds_k3_c24"],
        ["ir_k3.5.7_a1.1_p1.1_s2_e6_c32", "ir_k3_a1.1_p1.1_e3_c32"],
        ["ir_k3.5.7.9_s2_e6_c40_se0.5_nsw", "ir_r3_k3.5_a1.1_p1.1_e6_c40_se0.5_nsw"],
        ["ir_k3.5.7_s2_e6_c80_se0.25_nsw", "ir_r3_k3.5.7.9_a1.1_p1.1_e6_c80_se0.25_nsw"],
        ["ir_k3_e6_c120_se0.5_nsw", "ir_r3_k3.5.7.9_a1.1_p1.1_e3_c120_se0.5_nsw"],
        ["ir_k3.5.7.9_s2_e6_c200_se0.5_nsw", "ir_r3_k3.5.7.9_p1.1_e6_c200_se0.5_nsw"],
      ])
  }

  private static func architecture(
    _ name: String, stem: Int, head: Int = 1280, headWidth: Architecture.HeadWidth = .fixed,
    activation: Activation = .relu, _ stages: [[String]]
  ) throws(NetworkError) -> Architecture {
    var architecture = try Architecture.blockStrings(
      name, stem: stem, head: .init(channels: head, width: headWidth), activation: activation,
      stages)
    architecture.dropoutRate = 0.2
    return architecture
  }
}
