// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import Testing

@Suite("Networks as data")
struct NetworkTests {
  @Test(
    "Every network of the zoo survives JSON and YAML",
    arguments: Portion.of(ModelZoo.entries.map(\.name)))
  func codable(name: String) throws {
    let network = try zoo(name, ModelOptions(classes: 7))
    let json = String(decoding: try NetworkFile.json(network), as: UTF8.self)
    for text in [json, try NetworkFile.yaml(network)] {
      guard case .network(let read) = try NetworkFile.parse(text, path: "file") else {
        Issue.record("not read as a network")
        return
      }
      #expect(read == network)
    }
    guard try ModelZoo.entry(named: name).hasBlockStrings else { return }
    let architecture = try ModelZoo.architecture(named: name)
    guard
      case .architecture(let read) = try NetworkFile.parse(
        NetworkFile.yaml(architecture), path: "file")
    else {
      Issue.record("not read as an architecture")
      return
    }
    #expect(read == architecture)
    #expect(try read.network() == architecture.network())
  }

  @Test("Shapes follow the paper's stages at 224 pixels")
  func shapes() throws {
    let network = try zoo("muxnet_m")
    let shapes = try network.shapes()
    func shape(_ layer: String) throws -> String { "\(shapes[try network.index(ofLayer: layer)])" }
    #expect(try shape("stem") == "24×112×112")
    #expect(try shape("blocks.2.0.conv_dw") == "48×56×56")
    #expect(try shape("blocks.13.0") == "160×7×7")
    #expect(try shape("head") == "1280×7×7")
    #expect(try shape("classifier") == "1000×1×1")
  }

  @Test("Odd image sizes run, with multiplexed branches padded", arguments: [33, 75, 97, 225, 300])
  func oddSizes(side: Int) throws {
    for name in ["muxnet_xs", "muxnet_s", "muxnet_m", "mobilenetv2_050_mux"] {
      let network = try zoo(name)
      let shapes = try network.shapes(inputSize: ImageSize(height: side, width: side + 6))
      #expect(shapes.last == Shape(channels: 1000))
    }
  }

  @Test("Images too small for the strides are an error that names the layer")
  func tooSmall() throws {
    var builder = NetworkBuilder(name: "valid", inputSize: ImageSize(32))
    var x = builder.convolution(
      builder.input, "first", outputChannels: 4, kernelSize: 5, stride: 2, padding: 0)
    x = builder.convolution(x, "second", outputChannels: 4, kernelSize: 5, padding: 0)
    let network = try builder.build()
    #expect {
      _ = try network.shapes(inputSize: ImageSize(7))
    } throws: {
      "\($0)".hasPrefix("layer 'second' cannot run: an input of 7×7 pixels is too small")
    }
  }

  @Test("Small images keep resolution where early strides are removed")
  func outputStride() throws {
    let options = ModelOptions(classes: 10, inputSize: ImageSize(32), outputStride: 8)
    let network = try zoo("muxnet_m", options)
    let shapes = try network.shapes()
    #expect(shapes[try network.index(ofLayer: "stem")].height == 32)
    #expect(shapes[try network.index(ofLayer: "blocks.1.0")].height == 32)
    #expect(shapes[try network.index(ofLayer: "blocks.4.0")].height == 16)
    #expect(shapes[try network.index(ofLayer: "head")].height == 4)
    #expect(network.parameterCount == 2_086_086)
    #expect {
      try zoo("muxnet_m", ModelOptions(outputStride: 5))
    } throws: { "\($0)".contains("output stride 5 does not divide the blocks' 32") }
  }

  @Test("Input channels and widths change what they should")
  func options() throws {
    let grey = try zoo("muxnet_m", ModelOptions(inputChannels: 1))
    #expect(grey.parameterCount == 3_354_276 - 24 * 9 * 2)
    let half = try zoo("muxnet_m", ModelOptions(classes: 10, widthMultiplier: 0.5))
    #expect(half.classifier?.linear.inputFeatures == 640)
    let dropped = try zoo("muxnet_m", ModelOptions(dropPathRate: 0.2))
    #expect(dropped.parameterCount == 3_354_276)
    #expect(dropped.nodes.contains { $0.operation.type == "dropPath" })
  }

  @Test("Unknown models and layers are answered with the nearest names")
  func nearest() throws {
    #expect(
      throws: NetworkError.unknownModel(
        name: "muxnet-m", nearest: ["muxnet_m", "mixnet_m", "muxnet_l"])
    ) {
      try ModelZoo.architecture(named: "muxnet-m")
    }
    #expect {
      try zoo("muxnet_m").index(ofLayer: "blocks.2.0.conv_dv")
    } throws: { "\($0)".contains("did you mean 'blocks.2.0.conv_dw'") }
  }

  @Test("Patterns list names as a shell would")
  func patterns() {
    #expect(ModelZoo.entries(matching: "muxnet_?").count == 3)
    #expect(
      ModelZoo.entries(matching: "*v2_05?").map(\.name)
        == ["mobilenetv2_050", "shufflenetv2_050"])
    #expect(ModelZoo.entries(matching: "xs").map(\.name) == ["muxnet_xs"])
    #expect(ModelZoo.entries(matching: "resnext").isEmpty)
  }

  @Test(
    "Networks that are not sound are refused with the layer's name",
    arguments: [
      (
        [Node(name: "a", operation: .add, inputs: ["input"])],
        "layer 'a': 'add' cannot take 1 inputs"
      ),
      (
        [Node(name: "a", operation: .globalAveragePool, inputs: ["b"])],
        "layer 'a': its input 'b' is not a layer before it"
      ),
      (
        [
          Node(name: "a", operation: .globalAveragePool, inputs: ["input"]),
          Node(name: "a", operation: .flatten, inputs: ["input"]),
        ], "layer 'a': the name is used twice"
      ),
      (
        [
          Node(
            name: "c", operation: .convolution(Convolution(inputChannels: 4, outputChannels: 4)),
            inputs: ["input"])
        ], "layer 'c' cannot run: it takes 4 channels but gets 3"
      ),
      ([], "layer 'input': a network needs at least one layer"),
    ])
  func unsound(nodes: [Node], message: String) {
    #expect {
      _ = try Network(name: "bad", nodes: nodes)
    } throws: { "\($0)" == message }
  }

  @Test(
    "Files that are no networks say what is wrong and where",
    arguments: [
      ("name: x\nstages: [[ir_k3_c8]]\nhead: {channels: 8}", "the key 'stem' is missing"),
      (
        "name: x\nstem: {channels: 8}\nstages: [[ir_k2_c8]]\nhead: {channels: 8}",
        "block string 'ir_k2_c8', character 5"
      ),
      (
        "name: x\nstem: {channel: 8}\nstages: [[ir_k3_c8]]\nhead: {channels: 8}",
        "'stem': unknown key 'channel'; did you mean 'channels'?"
      ),
      ("name: x", "is neither a network (key 'nodes') nor an architecture (key 'stages')"),
      ("- 1", "is neither a network nor an architecture"),
      ("name: [", "is not valid YAML or JSON"),
    ])
  func badFiles(text: String, message: String) {
    #expect {
      _ = try NetworkFile.parse(text, path: "net.yaml")
    } throws: { "\($0)".hasPrefix("net.yaml: ") && "\($0)".contains(message) }
  }

  @Test("A block-string file becomes the network it describes")
  func file() throws {
    let text = """
      name: tiny_mux
      inputSize: 32
      classes: 10
      stem: {channels: 16, stride: 1}
      stages:
        - [ds_k3_c16_se0.25_nre]
        - [ir_k3.5_s2_e4_c24, mux_r2_k3_e4_c24_se0.75_sc-1.0.0.1]
      head: {channels: 256}
      """
    guard case .architecture(let architecture) = try NetworkFile.parse(text, path: "f") else {
      Issue.record("not an architecture")
      return
    }
    let network = try architecture.network()
    #expect(network.inputSize == ImageSize(32))
    #expect(network.blocks.map(\.name).contains("blocks.1.2"))
    #expect(
      try network.shapes()[network.index(ofLayer: "blocks.1.2")]
        == Shape(channels: 24, height: 16, width: 16))
  }
}
