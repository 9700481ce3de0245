// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXPyTorch
import MUXRuntime
import MUXTestSupport
import Testing

/// What public weights answer to public images, beside what timm answers with them. The weights are not
/// fetched by tests: `muxnet weights fetch tf_efficientnet_lite0` puts them where these look.
@Suite("Public weights beside timm")
struct PretrainedReferenceTests {
  private static let file = "reference/pretrained/efficientnet_lite0_voc20_logits.npz"
  private static let name = "tf_efficientnet_lite0"

  private static let cached: String? = {
    guard let entry = try? PretrainedCatalogue.shipped().entry(named: name) else { return nil }
    return try? PretrainedCache.usual().path(entry)
  }()

  /// The values of an array in a file of NumPy, behind its header.
  private func array<Value: BitwiseCopyable>(_ name: String, as type: Value.Type) throws -> [Value]
  {
    let zip = try ZipArchive(ByteRegion(mapping: Shared.path(Self.file)))
    let bytes = try zip.inflatedBytes(of: "\(name).npy").array
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    return bytes[start...].withUnsafeBytes { values in
      (0..<values.count / MemoryLayout<Value>.size).map {
        values.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self)
      }
    }
  }

  @Test(
    "Logits of EfficientNet-Lite0 on crops of photographs",
    .enabled(if: Shared.has(file), "\(Shared.absent)"),
    .enabled(if: cached != nil, "the weights are not in the cache"))
  func logits() throws {
    let weights = try TrainedWeights(path: Self.name)
    let pixels = try array("crop_uint8_hwc", as: UInt8.self)
    let expected = try array("logits", as: Float.self)
    let model = try weights.runtimeModel()
    let side = 224, classes = 1000, count = expected.count / classes
    #expect(count == 20)
    var normalization = weights.pipeline
    normalization.transforms = []
    var random = ImagePipeline.stream(seed: 0, epoch: 0, index: 0)
    for index in 0..<count {
      let size = side * side * 3
      let image = Image(
        width: side, height: side, channels: 3,
        pixels: Array(pixels[index * size..<(index + 1) * size]))
      let values = try normalization.values(of: image, random: &random).values
      let outputs = try model.outputs(
        PixelBatch(count: 1, channels: 3, height: side, width: side, values: values))
      let own = expected[index * classes..<(index + 1) * classes]
      let greatest = zip(outputs[0].values, own).map { abs($0 - $1) }.max() ?? .infinity
      #expect(greatest < 1e-3, "image \(index)")
    }
  }
}
