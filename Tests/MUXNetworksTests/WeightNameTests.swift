// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import Testing

@Suite("Weight names of the reference implementations")
struct WeightNameTests {
  /// Name → shape, from the files that `tools/make_zoo_fixtures.py` writes.
  private static func reference(_ model: String) throws -> [String: [Int]] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Fixtures/weights/\(model).txt")
    let text = try String(contentsOf: file, encoding: .utf8)
    var shapes: [String: [Int]] = [:]
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: " ").map(String.init)
      if parts.count == 3, parts[1] == "norm" {
        let channels = try #require(Int(parts[2]))
        for part in ["weight", "bias", "running_mean", "running_var"] {
          shapes["\(parts[0]).\(part)"] = [channels]
        }
        shapes["\(parts[0]).num_batches_tracked"] = []
      } else {
        shapes[parts[0]] = try parts[1].split(separator: "x").map { try #require(Int($0)) }
      }
    }
    return shapes
  }

  @Test(
    "Every tensor of the reference is one of ours, of the same name and shape, and no other",
    arguments: [
      "mobilenetv1_100", "mobilenetv2_100", "mobilenetv2_050", "mobilenetv3_large_100",
      "mobilenetv3_small_100", "shufflenetv2_050", "shufflenetv2_100", "shufflenetv2_150",
      "shufflenetv2_200", "semnasnet_100", "mnasnet_100", "fbnetc_100", "efficientnet_b0",
      "mixnet_s", "mixnet_m", "resnet50", "densenet121", "densenet169", "vgg16", "nasnetamobile",
      "tv_mobilenetv2_100", "tv_mobilenetv3_large_100", "tv_mobilenetv3_small_100",
      "tv_mnasnet_100", "tv_efficientnet_b0", "ssd_mobilenetv1", "ssdlite_mobilenetv2",
      "ssd300_vgg16", "tf_efficientnet_b0", "tf_mixnet_s", "tf_mixnet_m",
      "tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2",
      "tf_efficientnet_lite3", "tf_efficientnet_lite4",
      "tf_mobilenetv3_large_100", "tf_mobilenetv3_small_100",
    ])
  func names(model: String) throws {
    let reference = try Self.reference(model)
    let ours = try zoo(model).parameters
    #expect(ours.count == reference.count)
    for tensor in ours { #expect(reference[tensor.name] == tensor.shape, "\(tensor.name)") }
    #expect(Set(ours.map(\.name)) == Set(reference.keys))
    #expect(try ModelZoo.entry(named: model).reference != nil)
  }

  @Test("Every network that names a reference has its file")
  func completeness() throws {
    for entry in ModelZoo.entries {
      guard let reference = entry.reference, !reference.contains("MUXConv"),
        !entry.name.hasPrefix("mobilenetv2_")
      else { continue }
      #expect(try Self.reference(entry.name).count > 10, "\(entry.name)")
    }
  }
}
