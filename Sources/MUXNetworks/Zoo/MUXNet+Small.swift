// SPDX-License-Identifier: Apache-2.0

/// MUXNets for small images: this project's own, for the demo and for training from scratch on a
/// few cores. They keep resolution early and multiplex space in the MUX blocks.
extension MUXNet {
  /// For CIFAR, 32×32 pixels: 362,270 parameters, 21,706,400 multiply-adds.
  static func cifar() throws(NetworkError) -> Architecture {
    var architecture = try small(
      "muxnet_cifar", stem: 24, head: 512,
      [
        ["ds_k3_c24_se0.25_nre"],
        ["ir_k3_s2_e4_c32_se0.75_nre", "mux_r2_k3_e6_c32_se0.75_nre_sc-1.0.0.1"],
        ["ir_k3.5.7_s2_e4_c64_se0.75", "mux_r3_k3_e6_c64_se0.75_sc-1.0.0.1"],
        ["ir_k3.5_e4_c96_se0.75", "mux_r3_k3_e4_c96_se0.75_gw2"],
      ])
    architecture.inputSize = ImageSize(32)
    return architecture
  }

  /// For the handwritten digits, 16×16 grey pixels.
  static func digits() throws(NetworkError) -> Architecture {
    var architecture = try small(
      "muxnet_digits", stem: 16, head: 128,
      [
        ["ir_k3_s2_e2_c16_se0.25", "mux_k3_e4_c16_se0.5_sc-1.0.0.1"],
        ["ir_k3.5_s2_e3_c32_se0.25", "mux_r2_k3_e4_c32_se0.5_sc-1.0.0.1"],
      ])
    architecture.inputSize = ImageSize(16)
    architecture.inputChannels = 1
    return architecture
  }

  private static func small(
    _ name: String, stem: Int, head: Int, _ blocks: [[String]]
  ) throws(NetworkError) -> Architecture {
    var stages: [[BlockSpecification]] = []
    for texts in blocks {
      var stage: [BlockSpecification] = []
      for text in texts { stage.append(try BlockSpecification(text)) }
      stages.append(stage)
    }
    var architecture = Architecture(
      name: name, stem: .init(channels: stem, stride: 1), stages: stages,
      head: .init(channels: head))
    architecture.classes = 10
    architecture.dropoutRate = 0.1
    return architecture
  }
}
