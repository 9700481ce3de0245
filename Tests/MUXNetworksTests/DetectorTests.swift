// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import Testing

@Suite("Detectors of the paper's table 2")
struct DetectorTests {
  /// Name, parameters, multiply-adds with 21 classes at 300×300: measured on the public layouts, and for
  /// EfficientNet-Lite0 and MobileNetV3 on timm's layers with the heads' arithmetic.
  static let counts: [(String, Int, Int)] = [
    ("ssd_mobilenetv1", 9_468_996, 1_526_986_688),
    ("ssdlite_mobilenetv2", 3_388_228, 660_828_976),
    ("ssdlite_muxnet_m", 3_215_360, 492_511_392),
    ("ssd_mobilenetv2", 8_983_428, 1_107_210_096),
    ("ssd_muxnet_l", 9_869_270, 1_239_872_976),
    ("ssd_muxnet_m", 8_660_032, 884_274_656),
    ("ssdlite_muxnet_l", 3_908_781, 710_285_443),
    ("ssd300_vgg16", 26_285_486, 31_373_537_792),
    ("ssdlite_tf_efficientnet_lite0", 4_552_068, 831_496_960),
    ("ssdlite_mobilenetv3_large_100", 3_920_372, 482_860_752),
    ("ssdlite8_tf_efficientnet_lite0", 4_581_928, 872_391_040),
    ("ssdlite8_muxnet_m", 3_235_300, 519_774_112),
  ]

  static let names = counts.map(\.0).filter { $0 != "ssd300_vgg16" }

  @Test("Parameters and multiply-adds to the unit", arguments: counts)
  func totals(model: String, parameters: Int, multiplyAdds: Int) throws {
    let report = try costs(model)
    #expect(report.inputSize == ImageSize(300))
    #expect(report.parameters == parameters)
    #expect(report.multiplyAdds == multiplyAdds)
  }

  @Test(
    "Multiply-adds at 320×320, in millions",
    arguments: [
      ("ssd_mobilenetv1", 1657), ("ssdlite_mobilenetv2", 713), ("ssdlite_muxnet_m", 532),
      ("ssd_mobilenetv2", 1186), ("ssd_muxnet_l", 1335),
    ])
  func larger(model: String, millions: Int) throws {
    let report = try costs(model, side: 320)
    #expect(abs(Double(report.multiplyAdds) / 1e6 - Double(millions)) < 0.6)
  }

  @Test(
    "Every layer of the reference tables, line by line",
    .enabled(if: Shared.hasLayerTables, "\(Shared.absent)"),
    arguments: [
      ("ssd_mobilenetv1", "ssd_mb1_300"), ("ssdlite_mobilenetv2", "ssdlite_mb2_300"),
      ("ssd_muxnet_m", "muxnet_m_ssd_300"), ("ssdlite_muxnet_m", "muxnet_m_ssdlite_300"),
      ("ssd_muxnet_l", "muxnet_l_ssd_300"), ("ssdlite_muxnet_l", "muxnet_l_ssdlite_300"),
    ])
  func layerTables(model: String, table: String) throws {
    let rows = try Shared.layerTable(table)
    let layers = try costs(model).layers.filter {
      $0.kind != .other && $0.kind != .batchNormalization
    }
    #expect(layers.count == rows.count)
    for (layer, row) in zip(layers, rows) {
      let name = row["name"] ?? ""
      #expect("\(layer.parameters)" == row["params"], "\(name)")
      #expect("\(layer.multiplyAdds)" == row["macs"], "\(name)")
      #expect("\(layer.outputShape.height)" == row["hout"], "\(name)")
      #expect("\(layer.outputShape.width)" == row["wout"], "\(name)")
      #expect(Self.own(name, isMUXNet: model.contains("muxnet")) == layer.name)
    }
  }

  /// The table's short name of a layer in the words of the public code.
  private static func own(_ name: String, isMUXNet: Bool) -> String {
    var parts = name.split(separator: ".").map(String.init)
    switch parts[0] {
    case "cls": parts[0] = "classification_headers"
    case "reg": parts[0] = "regression_headers"
    case "base" where isMUXNet: parts.replaceSubrange(0..<2, with: ["base_net"])
    case "base": parts.replaceSubrange(0..<2, with: ["base_net"])
    default: break
    }
    // The tables tell apart what stands before a tap and behind it; the code numbers all steps: a
    // convolution, a norm, an activation. MobileNetV1's second convolution of a block is step 3.
    if let place = parts.firstIndex(of: "pre") {
      parts.replaceSubrange(place..., with: ["conv", "0"])
    } else if let place = parts.firstIndex(of: "rest") {
      // Without an expansion there is nothing before the depthwise convolution.
      let first = parts.starts(with: ["base_net", "1"]) ? 0 : 3
      let step = first + 3 * (Int(parts[place + 1]) ?? 0)
      parts.replaceSubrange(place..., with: ["conv", "\(step)"])
    } else if !isMUXNet, parts[0] == "base_net", parts.count == 4 {
      parts.replaceSubrange(2..., with: ["\(3 * (Int(parts[2]) ?? 0))"])
    }
    return parts.joined(separator: ".")
  }

  @Test("Two outputs for each of its maps, for any classes, channels and sizes", arguments: names)
  func outputs(model: String) throws {
    let network = try zoo(model)
    let isFine = model.hasPrefix("ssdlite8_")
    let sides = (isFine ? [38] : []) + [19, 10, 5, 3, 2, 1]
    let boxes = (isFine ? [4] : []) + [Int](repeating: 6, count: 6)
    #expect(network.outputs.count == 2 * sides.count && network.classCount == nil)
    let shapes = try network.shapes()
    #expect(
      network.outputIndices.map { shapes[$0] }
        == [21, 4].flatMap { perBox in
          zip(sides, boxes).map { Shape(channels: $1 * perBox, height: $0, width: $0) }
        })
    // The default boxes of the paper's set-up, and those of the map at stride 8.
    #expect(zip(sides, boxes).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } == (isFine ? 8776 : 3000))
    for classes in [2, 91] {
      let size = ImageSize(height: 97, width: 131)
      let other = try zoo(
        model, ModelOptions(classes: classes, inputChannels: 1, inputSize: size))
      let shapes = try other.shapes()
      #expect(shapes[other.outputIndices[0]].channels == boxes[0] * classes)
      #expect(shapes[other.outputIndices.last ?? 0].channels == 24)
      #expect(other.inputChannels == 1)
    }
    for options in [
      ModelOptions(widthMultiplier: 0.5), ModelOptions(classes: 0), ModelOptions(dropoutRate: 0.2),
    ] {
      #expect(throws: NetworkError.self) { try zoo(model, options) }
    }
    #expect(throws: NetworkError.self) { try network.applying(ModelOptions(classes: 5)) }
  }

  @Test("SSD300 on VGG16: maps of 38 to 1, 8732 boxes, 91 classes, the layer that is too small")
  func vgg() throws {
    let network = try zoo("ssd300_vgg16")
    let shapes = try network.shapes()
    let sides = [38, 19, 10, 5, 3, 1], boxes = [4, 6, 6, 6, 4, 4]
    #expect(zip(sides, boxes).reduce(0) { $0 + $1.0 * $1.0 * $1.1 } == 8732)
    #expect(
      network.outputIndices.map { shapes[$0] }
        == [21, 4].flatMap { perBox in
          zip(sides, boxes).map { Shape(channels: $1 * perBox, height: $0, width: $0) }
        })
    // The paper's 35 G are the count for COCO's classes.
    let coco = try CostReport(zoo("ssd300_vgg16", ModelOptions(classes: 91)))
    #expect(abs(Double(coco.multiplyAdds) / 1e9 - 34.86) < 0.006)
    #expect {
      _ = try network.shapes(inputSize: ImageSize(200))
    } throws: {
      "\($0)".hasPrefix("layer 'backbone.extra.3.2' cannot run: an input of 200×200 pixels")
        || "\($0)".hasPrefix("layer 'backbone.extra.4.2' cannot run: an input of 200×200 pixels")
    }
    #expect(try network.shapes(inputSize: ImageSize(height: 269, width: 301)).count == shapes.count)
  }

  @Test(
    "Weights of the backbone keep their own names behind base_net",
    arguments: [
      ("muxnet_m", "ssdlite_muxnet_m"), ("muxnet_m", "ssdlite8_muxnet_m"),
      ("tf_efficientnet_lite0", "ssdlite_tf_efficientnet_lite0"),
      ("tf_efficientnet_lite0", "ssdlite8_tf_efficientnet_lite0"),
      ("mobilenetv3_large_100", "ssdlite_mobilenetv3_large_100"),
    ])
  func backbone(classifier: String, detector: String) throws {
    // MobileNetV3's head stands behind the global mean.
    let heads = ["classifier."] + (classifier.hasPrefix("mobilenetv3") ? ["conv_head."] : [])
    let own = Dictionary(
      try zoo(classifier).parameters
        .filter { parameter in !heads.contains { parameter.name.hasPrefix($0) } }
        .map { ("base_net.\($0.name)", $0.shape) }, uniquingKeysWith: { $1 })
    let found = Dictionary(
      try zoo(detector).parameters.filter { $0.name.hasPrefix("base_net.") }
        .map { ($0.name, $0.shape) }, uniquingKeysWith: { $1 })
    #expect(found == own && found.count > 200)
  }

  @Test("A file says the outputs only where there are several; one that says none is as before")
  func files() throws {
    let plain = try NetworkFile.json(zoo("muxnet_digits"))
    #expect(!String(decoding: plain, as: UTF8.self).contains("\"outputs\""))
    #expect(try JSONDecoder().decode(Network.self, from: plain).outputs == ["classifier"])
    let network = try zoo("ssdlite_muxnet_m")
    let copy = try JSONDecoder().decode(Network.self, from: NetworkFile.json(network))
    #expect(copy == network && copy.outputs == network.outputs)
    // A cut has the one output that was asked for.
    #expect(try network.cut(atLayer: "extras.0").outputs == ["extras.0.conv.7"])
    #expect(try network.cut(atLayer: "extras.0") != network)
  }

  @Test(
    "Outputs that are no layers, none, or the same twice are one line",
    arguments: [
      (["b"], "layer 'b': it is named as an output but is not a layer"),
      ([], "layer 'input': a network needs outputs, each named once"),
      (["a", "a"], "layer 'a': a network needs outputs, each named once"),
    ])
  func badOutputs(outputs: [String], message: String) throws {
    let node = Node(name: "a", operation: .activation(.relu), inputs: ["input"])
    #expect {
      _ = try Network(name: "bad", nodes: [node], outputs: outputs)
    } throws: { "\($0)" == message }
  }

  @Test("Memory holds all outputs to the end")
  func memory() throws {
    var builder = NetworkBuilder(name: "two", inputChannels: 1, inputSize: ImageSize(4))
    let first = builder.convolution(builder.input, "first", outputChannels: 10)
    let second = builder.convolution(first, "second", outputChannels: 10)
    let third = builder.convolution(second, "third", outputChannels: 10)
    // The third beside the second; with the first as an output too, beside both.
    #expect(try CostReport(builder.build()).peakActivationBytes == 4 * 16 * 20)
    let both = try builder.build(outputs: [first, third])
    #expect(try CostReport(both).peakActivationBytes == 4 * 16 * 30)
  }
}
