// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import Testing

@Suite("The ablations on MobileNetV2 (paper, section 6)")
struct AblationTests {
  @Test(
    "Leaving channels out, in tenths of a percent less",
    arguments: [
      (0.1, 58, 104), (0.2, 109, 185), (0.25, 131, 218), (0.3, 154, 262), (0.4, 193, 325),
      (0.5, 226, 377), (0.6, 255, 428), (0.75, 285, 476),
    ])
  func leaveOut(ratio: Double, parameters: Int, multiplyAdds: Int) throws {
    let plain = try CostReport(MobileNetV2().architecture().network())
    let less = try CostReport(MobileNetV2(leaveOutRatio: ratio).architecture().network())
    func saved(_ small: Int, _ large: Int) -> Int {
      Int(((1 - Double(small) / Double(large)) * 1000).rounded())
    }
    #expect(saved(less.parameters, plain.parameters) == parameters)
    #expect(saved(less.multiplyAdds, plain.multiplyAdds) == multiplyAdds)
  }

  @Test(
    "Spatial multiplexing leaves multiply-adds alone and adds few parameters",
    arguments: [
      (1.0, 3_504_872, 3_528_929), (0.75, 2_636_424, 2_654_649), (0.5, 1_968_680, 1_980_830),
      (0.25, 1_519_112, 1_525_187), (0.1, 1_367_080, 1_370_482),
    ])
  func spatialMultiplexing(width: Double, plainParameters: Int, parameters: Int) throws {
    let plain = try CostReport(MobileNetV2(widthMultiplier: width).architecture().network())
    let multiplexed = try CostReport(
      MobileNetV2(widthMultiplier: width, usesSpatialMultiplexing: true).architecture().network())
    #expect(plain.parameters == plainParameters)
    #expect(multiplexed.parameters == parameters)
    // At 7×7 a subpixel branch pads to 8×8, which costs a little more.
    #expect(multiplexed.multiplyAdds >= plain.multiplyAdds)
    #expect(Double(multiplexed.multiplyAdds) < 1.03 * Double(plain.multiplyAdds))
    let even = try CostReport(
      MobileNetV2(widthMultiplier: width, usesSpatialMultiplexing: true).architecture().network(),
      inputSize: ImageSize(256))
    let evenPlain = try CostReport(
      MobileNetV2(widthMultiplier: width).architecture().network(), inputSize: ImageSize(256))
    #expect(even.multiplyAdds == evenPlain.multiplyAdds)
  }

  @Test(
    "MobileNetV2 by width",
    arguments: [
      ("mobilenetv2_100", 1000, 3_504_872, 300_774_272),
      ("mobilenetv2_050", 1000, 1_968_680, 97_131_840),
      ("mobilenetv2_100", 10, 2_236_682, 299_507_072),
    ])
  func widths(model: String, classes: Int, parameters: Int, multiplyAdds: Int) throws {
    let report = try costs(model, classes: classes)
    #expect(report.parameters == parameters)
    #expect(report.multiplyAdds == multiplyAdds)
  }

  @Test(
    "Multiply-adds by width in tenths of a million",
    arguments: [(1.0, 3008), (0.75, 2091), (0.5, 971), (0.25, 372), (0.1, 267)])
  func multiplyAdds(width: Double, tenths: Int) throws {
    let report = try CostReport(MobileNetV2(widthMultiplier: width).architecture().network())
    #expect((report.multiplyAdds + 50_000) / 100_000 == tenths)
  }
}
