// SPDX-License-Identifier: Apache-2.0

/// MobileNetV1 (Howard et al. 2017) and MobileNetV3 (Howard et al. 2019), as in timm.
enum MobileNets {
  /// MobileNetV1: 4,231,976 parameters, 568,740,352 multiply-adds.
  static func v1() throws(NetworkError) -> Architecture {
    var architecture = try Architecture.blockStrings(
      "mobilenetv1_100", stem: 32, head: .init(channels: 0), activation: .relu6,
      [
        ["dsa_k3_c64"], ["dsa_r2_k3_s2_c128"], ["dsa_r2_k3_s2_c256"], ["dsa_r6_k3_s2_c512"],
        ["dsa_r2_k3_s2_c1024"],
      ])
    architecture.dropoutRate = 0.2
    return architecture
  }

  /// MobileNetV3-Large: 5,483,032 parameters, 216,589,760 multiply-adds.
  static func v3Large() throws(NetworkError) -> Architecture {
    try v3(
      "mobilenetv3_large_100", head: 1280,
      [
        ["ds_k3_c16_nre"],
        ["ir_k3_s2_e4_c24_nre", "ir_k3_e3_c24_nre"],
        ["ir_r3_k5_s2_e3_c40_se0.25_nre"],
        ["ir_k3_s2_e6_c80", "ir_k3_e2.5_c80", "ir_r2_k3_e2.3_c80"],
        ["ir_r2_k3_e6_c112_se0.25"],
        ["ir_r3_k5_s2_e6_c160_se0.25"],
        ["cn_k1_c960"],
      ])
  }

  /// MobileNetV3-Small: 2,542,856 parameters, 56,510,400 multiply-adds.
  static func v3Small() throws(NetworkError) -> Architecture {
    try v3(
      "mobilenetv3_small_100", head: 1024,
      [
        ["ds_k3_s2_c16_se0.25_nre"],
        ["ir_k3_s2_e4.5_c24_nre", "ir_k3_e3.67_c24_nre"],
        ["ir_k5_s2_e4_c40_se0.25", "ir_r2_k5_e6_c40_se0.25"],
        ["ir_r2_k5_e3_c48_se0.25"],
        ["ir_r3_k5_s2_e6_c96_se0.25"],
        ["cn_k1_c576"],
      ])
  }

  private static func v3(
    _ name: String, head: Int, _ stages: [[String]]
  ) throws(NetworkError) -> Architecture {
    var architecture = try Architecture.blockStrings(
      name, stem: 16, head: .init(channels: head, followsPool: true), activation: .hardSwish,
      stages)
    architecture.excitation = .init(
      ratioOf: .expanded, divisor: 8, activation: .relu, gate: .hardSigmoid)
    architecture.expansionDivisor = 8
    architecture.dropoutRate = 0.2
    return architecture
  }
}

extension Architecture {
  /// An architecture of the zoo in block strings, with timm's initial weights.
  static func blockStrings(
    _ name: String, stem: Int, head: Head, activation: Activation, _ stages: [[String]]
  ) throws(NetworkError) -> Architecture {
    var blocks: [[BlockSpecification]] = []
    for texts in stages {
      var stage: [BlockSpecification] = []
      for text in texts { stage.append(try BlockSpecification(text)) }
      blocks.append(stage)
    }
    var architecture = Architecture(
      name: name, stem: .init(channels: stem), stages: blocks, head: head)
    architecture.activation = activation
    architecture.initialization = .googleGroups
    return architecture
  }
}
