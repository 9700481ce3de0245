// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import MUXTestSupport
import Testing

/// What a file claims may be anything: an error in one line, never a trap, and no more work than the
/// file is long.
@Suite("Networks that no one would write", .tags(.slow), .endsSometime)
struct HostileNetworkTests {
  /// Reads a file and does with it all that this module can do.
  private func exhaust(_ text: String) throws {
    let network: Network
    switch try NetworkFile.parse(text, path: "file") {
    case .network(let read): network = read
    case .architecture(let architecture): network = try architecture.network()
    }
    _ = try CostReport(network).shares
    _ = network.parameterCount
    _ = try? CostReport(network, inputSize: ImageSize(Int.max))
    _ = try? network.shapes(inputSize: ImageSize(height: 1, width: 1 << 30))
    _ = try? network.applying(ModelOptions(classes: .max))
    _ = network.hasFlatOutput
    _ = try NetworkFile.json(network)
  }

  private func counts(_ cases: [HostileValues.Case]) -> (taken: Int, refused: Int) {
    var taken = 0
    for hostile in cases {
      do {
        try exhaust(hostile.json)
        taken += 1
      } catch {
        let text = "\(error)"
        #expect(
          error is NetworkError && !text.contains("\n"), "\(hostile): \(text)")
      }
    }
    return (taken, cases.count - taken)
  }

  @Test("Each number of a network file at all extremes is taken or refused in one line")
  func networks() throws {
    let cases = try HostileValues.variants(
      ofJSON: EarlierVersion("0.1").text("networks/every_operation.json"))
    let counts = counts(cases)
    #expect(counts.taken * 33 > cases.count && counts.refused * 2 > cases.count)
  }

  @Test("Each number of a block-string file at all extremes is taken or refused in one line")
  func architectures() throws {
    let text = """
      {"name": "x", "inputChannels": 3, "inputSize": {"height": 64, "width": 64}, "classes": 10,
       "stem": {"channels": 16, "kernelSize": 3, "stride": 2},
       "stages": [["ds_k3_c16_se0.25"], ["ir_k3.5_s2_e4_c24_se0.25", "mux_r2_k3_e4_c24_sc-1.0.0.1"]],
       "head": {"channels": 256, "width": "widenOnly"},
       "excitation": {"ratioOf": "expanded", "divisor": 8}, "expansionDivisor": 8,
       "widthMultiplier": 1.5, "outputStride": 4, "dropoutRate": 0.2, "dropPathRate": 0.2,
       "normalizationEpsilon": 0.001, "normalizationMomentum": 0.01}
      """
    try exhaust(text)
    let cases = try HostileValues.variants(ofJSON: text)
    let counts = counts(cases)
    #expect(counts.taken * 33 > cases.count && counts.refused * 4 > cases.count)
  }

  @Test(
    "Settings of block strings beyond their bounds name the token",
    arguments: [
      "ir_k3_c16_f1048576_sc-1.0", "ir_k3_c16_f0_sc1.0", "ir_k3_c9223372036854775807",
      "ir_r2000000000_k3_c16", "ir_k3_s99999999999999999999_c16", "ir_k3_e1e300_c16",
      "mux_k3_c16_l1", "ir_k3_c16_gw0", "mux_k3_c16_sg-1",
      "ir_k" + repeatElement("3", count: 65).joined(separator: ".") + "_c999",
      "ir_k3_c999_sc" + repeatElement("0", count: 65).joined(separator: "."),
    ])
  func blockStrings(text: String) {
    #expect {
      try BlockSpecification(text)
    } throws: { "\($0)".hasPrefix("block string '") }
  }

  @Test("Blocks that were made in code meet the same bounds")
  func blocks() throws {
    for block in [
      BlockSpecification(.mux, channels: 16, repeats: -1),
      BlockSpecification(.invertedResidual, channels: 16, repeats: .max),
      BlockSpecification(.invertedResidual, channels: .max, expansion: .infinity),
      BlockSpecification(.invertedResidual, channels: 16, kernelSizes: []),
      BlockSpecification(.invertedResidual, channels: 16, expansion: .nan),
      BlockSpecification(.mux, channels: 16, leaveOutRatio: -.infinity),
      BlockSpecification(.invertedResidual, channels: 16, groupWidth: 0),
      BlockSpecification(
        .invertedResidual, channels: 16, scales: [.subpixel], multiplexingFactor: 0),
      BlockSpecification(
        .invertedResidual, channels: 16, scales: [.subpixel], multiplexingFactor: .max),
    ] {
      let architecture = Architecture(
        name: "code", stem: .init(channels: 16), stages: [[block]], head: .init(channels: 0))
      #expect {
        try architecture.network()
      } throws: { "\($0)".hasPrefix("architecture 'code': block 0: ") }
    }
  }

  @Test("Options of the command line at all extremes are errors or networks")
  func options() {
    for name in ["muxnet_xs", "resnet18", "ssd300_vgg16", "ssd300_mobilenetv2"] {
      for value in HostileValues.wholeNumbers where abs(value / 2) > 1 << 24 || value < 1 {
        for options in [
          ModelOptions(classes: value), ModelOptions(inputChannels: value),
          ModelOptions(inputSize: ImageSize(height: value, width: 300)),
          ModelOptions(outputStride: value),
        ] {
          #expect(throws: NetworkError.self) {
            try ModelZoo.network(named: name, options: options)
          }
        }
      }
    }
    for width in HostileValues.fractions + [.nan, .infinity] where !(width > 0 && width <= 16) {
      #expect(throws: NetworkError.self) {
        try ModelZoo.network(named: "muxnet_xs", options: ModelOptions(widthMultiplier: width))
      }
    }
  }

  @Test("A file that says the same again and again is refused before it fills the memory")
  func aliases() throws {
    let blocks = (0..<300).map { $0 == 0 ? "&b ir_r1000_k3_c8" : "*b" }.joined(separator: ", ")
    let stages = (0..<300).map { $0 == 0 ? "&s [\(blocks)]" : "*s" }.joined(separator: ", ")
    #expect {
      try NetworkFile.parse(
        "name: x\nstem: {channels: 8}\nhead: {channels: 8}\nstages: [\(stages)]", path: "file")
    } throws: { "\($0)".contains("at most \(Limits.blocks) blocks") }

    let inputs = (0..<2000).map { _ in "input" }.joined(separator: ", ")
    let nodes = (0..<2000).map { index in
      "{name: n\(index), operation: {type: concatenate}, inputs: "
        + (index == 0 ? "&i [\(inputs)]" : "*i") + "}"
    }
    #expect {
      try NetworkFile.parse(
        "name: x\nnodes: [\(nodes.joined(separator: ", "))]", path: "file")
    } throws: { "\($0)".contains("inputs and branches together") }
  }

  @Test("As many layers as a network may have cost no more than their number; one more is refused")
  func manyLayers() throws {
    func nodes(_ count: Int) -> [Node] {
      (0..<count).map { index in
        let input = index == 0 ? Network.inputName : "n\(index - 1)"
        return switch index % 4 {
        case 0:
          Node(
            name: "n\(index)",
            operation: .convolution(
              Convolution(inputChannels: 3, outputChannels: 3, kernelSize: 3, groups: 3)),
            inputs: [input])
        case 1: Node(name: "n\(index)", operation: .activation(.relu), inputs: [input])
        case 2: Node(name: "n\(index)", operation: .multiply, inputs: [input, input])
        default: Node(name: "n\(index)", operation: .add, inputs: [input, "n\(index - 1)"])
        }
      }
    }
    let network = try Network(
      name: "deep", inputSize: ImageSize(8), nodes: nodes(Limits.nodes),
      blocks: [Block(name: "all", summary: "", nodes: 0..<Limits.nodes)])
    #expect(try CostReport(network).multiplyAdds == Limits.nodes / 4 * 3 * 9 * 64)
    #expect {
      try Network(name: "deep", nodes: nodes(Limits.nodes + 1))
    } throws: { "\($0)".contains("at most \(Limits.nodes) layers") }
  }

  @Test("A text of more values than any network has is refused before it is parsed")
  func manyValues() {
    for text in ["{a: 1},", "[],", "- *a\n"] {
      #expect {
        try NetworkFile.parse(
          "nodes: [" + String(repeating: text, count: 1_100_000), path: "n.yaml")
      } throws: { "\($0)".contains("has more values than any network needs") }
    }
  }

  @Test("The largest networks that may be written are read")
  func largest() throws {
    let nodes = (0..<Limits.nodes).map { index in
      Node(
        name: "a rather long name \(index)", operation: .activation(Activation(.relu)),
        inputs: [index == 0 ? "input" : "a rather long name \(index - 1)"])
    }
    let network = try Network(name: "deep", inputSize: ImageSize(8), nodes: nodes)
    let text = String(decoding: try NetworkFile.json(network), as: UTF8.self)
    guard case .network(let read) = try NetworkFile.parse(text, path: "deep.json") else {
      Issue.record("no network")
      return
    }
    #expect(read == network)
  }

  @Test("A file that is longer than any network is refused unread")
  func longFile() throws {
    let folder = try TemporaryFolder()
    try folder.write("long.yaml", [UInt8](repeating: 0x20, count: Limits.fileBytes + 1))
    #expect {
      try NetworkFile.read(URL(filePath: folder("long.yaml")))
    } throws: { "\($0)".hasSuffix("is longer than 16 MiB, more than any network needs") }
  }
}
