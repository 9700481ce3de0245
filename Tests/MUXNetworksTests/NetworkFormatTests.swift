// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import Testing

@Suite("Versions of network files")
struct NetworkFormatTests {
  private func network(_ text: String) throws -> Network {
    guard case .network(let network) = try NetworkFile.parse(text, path: "file") else {
      throw NetworkError.file(path: "file", reason: "is no network")
    }
    return network
  }

  private func one(_ operation: String, _ top: String = "") -> String {
    """
    {"name": "one", "inputSize": {"height": 9, "width": 9}, \(top)
     "nodes": [{"name": "op", "operation": {\(operation)}, "inputs": ["input"]}]}
    """
  }

  @Test("Files of version 0.1 read as they did, and what is written now reads back")
  func earlierFiles() throws {
    let json = try network(EarlierVersion("0.1").text("networks/every_operation.json"))
    let yaml = try network(EarlierVersion("0.1").text("networks/every_operation.yaml"))
    #expect(json == yaml)
    #expect(Set(json.nodes.map(\.operation.type)).count == 18)
    #expect(json.initialization == .kaiming && json.outputs == ["shuffle", "fc"])
    // What `muxnet describe` of version 0.1 said of it.
    let costs = try CostReport(json)
    #expect(costs.parameters == 544 && costs.multiplyAdds == 26_384)
    #expect(costs.paperMultiplyAdds == 26_532 && costs.activations == 1_035)
    #expect(costs.peakActivationBytes == 8_800)
    let written = String(decoding: try NetworkFile.json(json), as: UTF8.self)
    #expect(try network(written) == json)
    #expect(try network(NetworkFile.yaml(json)) == json)
    guard
      case .architecture(let architecture) = try NetworkFile.parse(
        EarlierVersion("0.1").text("networks/block_strings.yaml"), path: "file")
    else {
      Issue.record("not read as block strings")
      return
    }
    #expect(try architecture.network() == ModelZoo.network(named: "muxnet_xs"))
  }

  @Test("A file says its version, and one of a newer version is refused by a sentence")
  func newerFiles() throws {
    let old = try EarlierVersion("0.1").text("networks/every_operation.json")
    #expect(!old.contains("version"))
    let written = String(decoding: try NetworkFile.json(network(old)), as: UTF8.self)
    #expect(written.contains("\"version\" : 1"))
    for version in [NetworkFormat.current + 1, 99] {
      // Whatever else a newer file holds, its version is what is said about it.
      let newer = one(#""type": "attention", "heads": 4"#, #""version": \#(version), "new": 1,"#)
      #expect {
        try network(newer)
      } throws: {
        "\($0)" == "file: 'version': the network is of version \(version), and this program reads"
          + " versions up to \(NetworkFormat.current); use a newer muxnet"
      }
      let blocks = try EarlierVersion("0.1").text("networks/block_strings.yaml")
      #expect {
        try NetworkFile.parse(blocks + "\nversion: \(version)\nnew: 1\n", path: "file")
      } throws: { "\($0)".contains("the architecture is of version \(version), and this program") }
    }
    #expect(throws: NetworkError.self) { try network(one(#""type": "add""#, #""version": 0,"#)) }
  }

  @Test(
    "Unknown operations, functions and settings are errors that name the nearest",
    arguments: [
      (#""type": "convolutoin""#, "unknown operation 'convolutoin'; did you mean 'convolution'?"),
      (#""type": "flatten", "axis": 1"#, "unknown key 'axis'; there are type"),
      (
        #""type": "pool", "kind": "maximum", "kernelSize": 2, "strides": 2"#,
        "unknown key 'strides'; did you mean 'stride'?"
      ),
      (
        #""type": "activation", "function": "hardSwich""#,
        "unknown activation 'hardSwich'; did you mean 'hardSwish'?"
      ),
      (
        #""type": "branchedConvolution", "branches": [{"name": "0", "convolution": {"inputChannels":"#
          + #" 3, "outputChannels": 3, "group": 3}}]"#,
        "unknown key 'group'; did you mean 'groups'?"
      ),
    ])
  func unknown(operation: String, message: String) {
    #expect {
      try network(one(operation))
    } throws: { "\($0)".contains(message) }
  }

  @Test("Unknown keys of a network, its nodes and blocks are errors")
  func unknownKeys() throws {
    for (text, key) in [
      (one(#""type": "flatten""#, #""outpts": [],"#), "outpts"),
      (one(#""type": "flatten""#).replacing(#""name": "op""#, with: #""name": "op", "x": 1"#), "x"),
      (
        one(
          #""type": "flatten""#,
          #""blocks": [{"name": "b", "sumary": "", "nodes": [0, 1]}],"#), "sumary"
      ),
    ] {
      #expect {
        try network(text)
      } throws: { "\($0)".contains("unknown key '\(key)'") }
    }
  }

  @Test(
    "JSON gives the network that the same text as YAML gives",
    arguments: ["muxnet_m", "densenet121", "mobilenetv2_025_mux"])
  func bothReaders(name: String) throws {
    let expected = try ModelZoo.network(named: name)
    let json = String(decoding: try NetworkFile.json(expected), as: UTF8.self)
    #expect(try network(json) == expected)
    // Behind a comment it is YAML, which another reader reads.
    #expect(try network("# YAML\n" + json) == expected)
  }

  @Test(
    "What is wrong in JSON is refused as in YAML",
    arguments: [
      (#""kernelSize": 3"#, #""kernelSize": 3.0"#), (#""kernelSize": 3"#, #""kernelSize": 3e0"#),
      (#""kernelSize": 3"#, #""kernelSize": "3""#),
      (#""kernelSize": 3"#, #""kernelSize": 3, "kernelSize": 3"#),
      (#""name": "op""#, #""nam": "op""#), (#"["input"]"#, #"["absent"]"#),
    ])
  func bothRefuse(sound: String, wrong: String) throws {
    let text = one(
      #""type": "convolution", "inputChannels": 3, "outputChannels": 4, "kernelSize": 3"#)
    #expect(try network(text).nodes.count == 1)
    let changed = text.replacing(sound, with: wrong)
    func message(_ text: String) -> String {
      do {
        _ = try network(text)
        return ""
      } catch { return "\(error)" }
    }
    // An error of the text itself shows where.
    #expect(
      !message(changed).isEmpty
        && message(changed).prefix(60) == message("# YAML\n" + changed).prefix(60))
  }

  @Test("Settings that are left out have defaults")
  func defaults() throws {
    let read = try network(
      one(#""type": "convolution", "inputChannels": 3, "outputChannels": 4, "kernelSize": 3"#))
    #expect(
      read.nodes[0].operation
        == .convolution(Convolution(inputChannels: 3, outputChannels: 4, kernelSize: 3)))
    let pool = try network(one(#""type": "pool", "kind": "average", "kernelSize": 2, "stride": 2"#))
    #expect(
      pool.nodes[0].operation == .pool(Pooling(kind: .average, kernelSize: 2, stride: 2)))
    #expect(pool.initialization == .google && pool.inputChannels == 3 && pool.blocks.isEmpty)
  }

  @Test("A hard sigmoid with another slope is of version 2; impossible slopes are named")
  func slopes() throws {
    let text = one(#""type": "activation", "function": "hardSigmoid", "alpha": 0.2"#)
    let sloped = try network(text)
    #expect(
      sloped.nodes[0].operation == .activation(.hardSigmoid(slope: 0.2, valueAtZero: 0.5)))
    let written = String(decoding: try NetworkFile.json(sloped), as: UTF8.self)
    #expect(written.contains("\"version\" : 2") && written.contains("\"alpha\" : 0.2"))
    #expect(try network(written) == sloped)
    for (settings, reason) in [
      (#""function": "hardSigmoid", "alpha": 0"#, "a hard sigmoid needs a slope"),
      (#""function": "hardSigmoid", "beta": 1e300"#, "a hard sigmoid needs a slope"),
      (#""function": "relu", "alpha": 0.1"#, "'relu' has no parameters"),
    ] {
      #expect {
        try network(one(#""type": "activation", "# + settings))
      } throws: { "\($0)".contains(reason) }
    }
  }

  @Test("A block-string file names a gate with its slope")
  func slopedGate() throws {
    let blocks = try EarlierVersion("0.1").text("networks/block_strings.yaml")
    let text =
      blocks + "\nexcitation: {gate: {function: hardSigmoid, alpha: 0.2}, activation: relu}\n"
    guard case .architecture(let architecture) = try NetworkFile.parse(text, path: "file") else {
      Issue.record("not read as block strings")
      return
    }
    #expect(architecture.excitation.gate == .hardSigmoid(slope: 0.2, valueAtZero: 0.5))
    let yaml = try NetworkFile.yaml(architecture)
    #expect(yaml.contains("version: 2"))
    guard case .architecture(let again) = try NetworkFile.parse(yaml, path: "file") else {
      Issue.record("not read back")
      return
    }
    #expect(again == architecture)
  }

  @Test("Numbers in YAML are as a person writes them, and come back bit for bit")
  func numbers() throws {
    var architecture = try ModelZoo.architecture(named: "muxnet_s")
    architecture.widthMultiplier = 1
    for (number, text) in [
      (0.1, "0.1"), (0, "0"), (0.25, "0.25"), (1.0 / 3, "0.3333333333333333"), (1e-05, "1e-05"),
    ] {
      architecture.dropoutRate = number
      let yaml = try NetworkFile.yaml(architecture)
      #expect(yaml.contains("\ndropoutRate: \(text)\n"), "\(yaml)")
      #expect(yaml.contains("\nwidthMultiplier: 1\n") && !yaml.contains("e+"))
      guard case .architecture(let again) = try NetworkFile.parse(yaml, path: "file") else {
        Issue.record("not read back")
        return
      }
      #expect(again == architecture)
    }
    // Texts that look like numbers stay texts, and keys keep their order.
    architecture.name = "1e5"
    let yaml = try NetworkFile.yaml(architecture)
    #expect(yaml.hasPrefix("version:") && yaml.contains("\nname: '1e5'\n"), "\(yaml)")
  }
}
