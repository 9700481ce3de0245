// SPDX-License-Identifier: Apache-2.0

/// The MUXNet family (paper, table 1 and figure 6).
///
/// m and l are the authors' released definitions, which have no spatial multiplexing (it was left
/// out for latency). xs and s were never released: these two are this project's own, inside the
/// paper's search space, with spatial multiplexing, and within 1 % of the counts that it prints.
enum MUXNet {
  /// MUXNet-m: 3,354,276 parameters, 216,808,112 multiply-adds.
  static func m() throws(NetworkError) -> Architecture {
    try architecture(
      "muxnet_m", stem: 24, head: 1280, headWidth: .scaled,
      [
        "ds_k3_c24_se0.25_nre",
        "ir_k3_s2_e4_c24_se0.75_nre",
        "mux_k3_e4_c24_se0.75_nre_gw2", "mux_k3_e4_c24_se0.75_nre_gw2",
        "ir_k3.5.7_s2_e4_c40_se0.75_nsw",
        "mux_k3_e6_c40_se0.75_nsw_gw2", "mux_k3_e6_c40_se0.75_nsw_gw2",
        "ir_k3.5.7.9_s2_e4_c80_se0.75_nsw",
        "mux_k5_e6_c80_se0.75_nsw_gw2", "mux_k5_e6_c80_se0.75_nsw_gw2",
        "ir_k5_e6_c112_se0.75_nsw",
        "mux_k5_e6_c112_se0.75_nsw_gw2", "mux_k5_e6_c112_se0.75_nsw_gw2",
        "ir_k3.5.7.9.11_s2_e4_c160_se0.75_nsw",
        "mux_k5_e6_c160_se0.75_nsw_gw2", "mux_k5_e6_c160_se0.75_nsw_gw2",
        "mux_k5_e6_c160_se0.75_nsw_gw2",
        "ir_k3_e6_c200_se0.75_nsw",
      ])
  }

  /// MUXNet-l: 4,041,178 parameters, 316,454,832 multiply-adds.
  static func l() throws(NetworkError) -> Architecture {
    try architecture(
      "muxnet_l", stem: 24, head: 1536, headWidth: .scaled,
      [
        "ds_k3_c24_se0.25_nre",
        "ir_k3_s2_e6_c24_se0.75_nre",
        "mux_k5_e6_c24_se0.75_nre_gw2", "mux_k5_e6_c24_se0.75_nre_gw2",
        "ir_k3.5.7_s2_e6_c40_se0.75_nsw",
        "mux_k5_e6_c40_se0.75_nsw_gw2", "mux_k5_e6_c40_se0.75_nsw_gw2",
        "mux_k5_e6_c40_se0.75_nsw_gw2",
        "ir_k3.5.7.9_s2_e6_c80_se0.75_nsw",
        "mux_k5_e6_c80_se0.75_nsw_gw2", "mux_k5_e6_c80_se0.75_nsw_gw2",
        "mux_k5_e6_c80_se0.75_nsw_gw2",
        "ir_k5_e6_c120_se0.75_nsw",
        "mux_k5_e6_c120_se0.75_nsw_gw2", "mux_k5_e6_c120_se0.75_nsw_gw2",
        "mux_k5_e6_c120_se0.75_nsw_gw2",
        "ir_k3.5.7.9.11_s2_e6_c160_se0.75_nsw",
        "mux_k5_e6_c160_se0.75_nsw_gw2", "mux_k5_e6_c160_se0.75_nsw_gw2",
        "mux_k5_e6_c160_se0.75_nsw_gw2",
        "ir_k3_e6_c200_se0.75_nsw",
      ])
  }

  /// MUXNet-xs, ours: 1,798,748 parameters, 65,357,680 multiply-adds.
  static func xs() throws(NetworkError) -> Architecture {
    try architecture(
      "muxnet_xs", stem: 16, head: 1280, headWidth: .fixed,
      [
        "ds_k3_c16_se0.25_nre",
        "ir_k3_s2_e3_c16_se0.75_nre",
        "mux_r2_k3_e4_c16_se0.75_nre_sc-1.0.0.1",
        "ir_k3.5.7_s2_e3_c24_se0.75_nsw",
        "mux_r2_k3_e4_c24_se0.75_nsw_sc-1.0.0.1",
        "ir_k3.5.7.9_s2_e3_c40_se0.75_nsw",
        "mux_r2_k5_e4_c40_se0.75_nsw_sc-1.0.0.1",
        "ir_k5_e3_c56_se0.75_nsw",
        "mux_r2_k5_e4_c56_se0.75_nsw_sc-1.0.0.1",
        "ir_k3.5.7.9.11_s2_e4_c80_se0.75_nsw",
        "mux_r3_k5_e6_c80_se0.75_nsw_gw2",
        "ir_k3_e3_c104_se0.75_nsw",
      ])
  }

  /// MUXNet-s, ours: 2,398,988 parameters, 116,012,096 multiply-adds.
  static func s() throws(NetworkError) -> Architecture {
    try architecture(
      "muxnet_s", stem: 16, head: 1280, headWidth: .fixed,
      [
        "ds_k3_c16_se0.25_nre",
        "ir_k3_s2_e4_c16_se0.75_nre",
        "mux_r2_k3_e6_c16_se0.75_nre_sc-1.0.0.1",
        "ir_k3.5.7_s2_e6_c32_se0.75_nsw",
        "mux_r2_k3_e6_c32_se0.75_nsw_sc-1.0.0.1",
        "ir_k3.5.7.9_s2_e4_c56_se0.75_nsw",
        "mux_r2_k5_e4_c56_se0.75_nsw_sc-1.0.0.1",
        "ir_k5_e6_c80_se0.75_nsw",
        "mux_r2_k5_e6_c80_se0.75_nsw_sc-1.0.0.1",
        "ir_k3.5.7.9.11_s2_e4_c112_se0.75_nsw",
        "mux_r3_k5_e6_c112_se0.75_nsw_gw2",
        "ir_k3_e6_c144_se0.75_nsw",
      ])
  }

  private static func architecture(
    _ name: String, stem: Int, head: Int, headWidth: Architecture.HeadWidth, _ blocks: [String]
  ) throws(NetworkError) -> Architecture {
    var stages: [[BlockSpecification]] = []
    for block in blocks { stages.append([try BlockSpecification(block)]) }
    var architecture = Architecture(
      name: name, stem: .init(channels: stem), stages: stages,
      head: .init(channels: head, width: headWidth))
    architecture.dropoutRate = 0.2
    return architecture
  }
}
