// SPDX-License-Identifier: Apache-2.0

/// EfficientNet-Lite (2020): EfficientNet without squeeze-and-excitation and with ReLU6, for processors
/// of phones. The larger ones are wider and deeper; their stem, their head, and the number of blocks in
/// the first and the last stage stay.
enum EfficientNetLite: Int, CaseIterable {
  case lite0, lite1, lite2, lite3, lite4

  private var scaling: (width: Double, depth: Double, pixels: Int, dropout: Double) {
    // The image sizes are timm's; Google gives 280 and 300 pixels for the last two.
    switch self {
    case .lite0: (1.0, 1.0, 224, 0.2)
    case .lite1: (1.0, 1.1, 240, 0.2)
    case .lite2: (1.1, 1.2, 260, 0.3)
    case .lite3: (1.2, 1.4, 300, 0.3)
    case .lite4: (1.4, 1.8, 380, 0.3)
    }
  }

  /// The name without the prefix of the weights that TensorFlow trained.
  var name: String { "efficientnet_lite\(rawValue)" }

  /// What it is, in one line.
  var summary: String { "EfficientNet-Lite\(rawValue)" }

  func architecture() throws(NetworkError) -> Architecture {
    let scaling = scaling
    var architecture = try Architecture.blockStrings(
      name, stem: 32, head: .init(channels: 1280), activation: .relu6,
      [
        ["ds_k3_c16"], ["ir_r2_k3_s2_e6_c24"], ["ir_r2_k5_s2_e6_c40"], ["ir_r3_k3_s2_e6_c80"],
        ["ir_r3_k5_e6_c112"], ["ir_r4_k5_s2_e6_c192"], ["ir_k3_e6_c320"],
      ])
    architecture.stem.scalesWithWidth = false
    architecture.widthMultiplier = scaling.width
    architecture.inputSize = ImageSize(scaling.pixels)
    architecture.dropoutRate = scaling.dropout
    for stage in architecture.stages.indices.dropFirst().dropLast() {
      for block in architecture.stages[stage].indices {
        let repeats = Double(architecture.stages[stage][block].repeats)
        architecture.stages[stage][block].repeats = Int((repeats * scaling.depth).rounded(.up))
      }
    }
    return architecture
  }
}
