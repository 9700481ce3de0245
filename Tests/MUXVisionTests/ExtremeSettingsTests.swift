// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXVision
import Testing

@Suite("Settings of transforms at the ends of their ranges") struct ExtremeSettingsTests {
  private let image = Image(
    width: 3, height: 1, channels: 3, pixels: [0, 0, 0, 255, 255, 255, 9, 100, 200])

  @Test("Endless factors and turns are no numbers to convert, and end nothing")
  func factors() {
    for factor in [Float.infinity, -.infinity, .nan, .greatestFiniteMagnitude, -3e38] {
      for changed in [
        image.adjustingBrightness(factor), image.adjustingContrast(factor),
        image.adjustingSaturation(factor), image.adjustingHue(factor),
      ] {
        #expect(changed.width == 3 && changed.channels == 3)
      }
    }
    let bright = image.adjustingBrightness(.infinity)
    bright.withPixels { pixels in
      #expect(pixels[0] == 0 && pixels[3] == 255 && pixels[6] == 255)
    }
  }

  @Test("A crop fraction that makes no size is none")
  func cropFractions() {
    for fraction in [0, -1, .nan, .infinity, 1e-300] {
      let pipeline = ImagePipeline.imageNetEvaluation(size: 8, cropFraction: fraction)
      #expect(pipeline.transforms.first == .resize(Resize(shorterSide: 8, interpolation: .bicubic)))
    }
    #expect(
      ImagePipeline.imageNetEvaluation(size: 224).transforms.first
        == .resize(Resize(shorterSide: 256, interpolation: .bicubic)))
  }

  @Test("Sizes in files that would overflow are refused")
  func sizes() {
    for text in [
      #"{"resize": {"shorterSide": 4611686018427387904}}"#, #"{"resize": {"shorterSide": 0}}"#,
      #"{"randomCrop": {"size": 8, "padding": 4611686018427387904}}"#,
      #"{"randomCrop": {"size": 8, "padding": -1}}"#,
    ] {
      #expect(throws: (any Error).self) {
        try JSONDecoder().decode(ImageTransform.self, from: Data(text.utf8))
      }
    }
  }
}
