// SPDX-License-Identifier: Apache-2.0

/// ChamNet (Dai et al. 2019), the six networks of its table. The definitions are those that
/// facebookresearch/mobile-vision published in `fbnet_modeldef_cls_chamnet.py` (commit bfe163f,
/// removed later). All blocks are 3×3 inverted residuals with ReLU; the expansion stays a 1×1
/// convolution also at ratio 1. No weights are public; names are in timm's style.
enum ChamNet: String, CaseIterable {
  case a, b, c, d, e, f

  /// ChamNet-C: 3,380,664 parameters, 211,553,600 multiply-adds.
  func architecture() -> Architecture {
    var architecture = Architecture(
      name: "chamnet_\(rawValue)", stem: .init(channels: stem),
      stages: stages.map { stage in
        stage.map { expansion, channels, repeats, stride in
          BlockSpecification(
            .invertedResidual, channels: channels, repeats: repeats, stride: stride,
            expansion: expansion)
        }
      }, head: .init(channels: head))
    architecture.inputSize = ImageSize(inputSide)
    architecture.activation = .relu
    architecture.initialization = .googleGroups
    architecture.dropoutRate = 0.2
    return architecture
  }

  /// The image size that its published count belongs to, in pixels.
  private var inputSide: Int {
    switch self {
    case .a, .c: 224
    case .b, .d: 192
    case .e: 160
    case .f: 128
    }
  }

  private var stem: Int {
    switch self {
    case .a: 32
    case .b: 24
    case .c: 16
    case .d, .e, .f: 8
    }
  }

  private var head: Int {
    switch self {
    case .a: 2016
    case .b: 1984
    case .c: 1520
    case .d, .e: 1600
    case .f: 1280
    }
  }

  /// Expansion, channels, repeats, stride.
  private var stages: [[(Double, Int, Int, Int)]] {
    switch self {
    case .a:
      [
        [(1, 24, 1, 1)], [(4, 40, 2, 2)], [(6, 48, 3, 2)], [(4, 96, 4, 2), (4, 160, 3, 1)],
        [(4, 248, 3, 2), (6, 480, 1, 1)],
      ]
    case .b:
      [
        [(1, 16, 1, 1)], [(5, 40, 2, 2)], [(6, 40, 3, 2)], [(6, 92, 3, 2), (6, 104, 3, 1)],
        [(5, 200, 3, 2), (6, 384, 1, 1)],
      ]
    case .c:
      [
        [(1, 16, 1, 1)], [(4, 24, 1, 2)], [(4, 32, 3, 2)], [(5, 64, 2, 2), (6, 96, 3, 1)],
        [(6, 160, 3, 2), (4, 256, 1, 1)],
      ]
    case .d:
      [
        [(1, 8, 1, 1)], [(6, 24, 1, 2)], [(4, 32, 2, 2)], [(6, 40, 4, 2), (6, 80, 3, 1)],
        [(5, 160, 3, 2), (6, 224, 1, 1)],
      ]
    case .e:
      [
        [(1, 8, 1, 1)], [(4, 24, 1, 2)], [(4, 32, 3, 2)], [(6, 64, 1, 2), (6, 64, 3, 1)],
        [(6, 96, 2, 2), (4, 128, 1, 1)],
      ]
    case .f:
      [
        [(1, 8, 1, 1)], [(4, 24, 1, 2)], [(4, 32, 3, 2)], [(4, 40, 1, 2), (4, 64, 3, 1)],
        [(4, 128, 2, 2), (4, 192, 1, 1)],
      ]
    }
  }
}
