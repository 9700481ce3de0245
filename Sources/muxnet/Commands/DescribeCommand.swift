// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXNetworks

/// Shows what a network is made of and what it costs.
struct DescribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Show what a network is made of and what it costs.",
    discussion: """
      Costs are for one image. Multiply-adds count convolutions and linear layers; the paper's \
      count adds the products of squeeze-and-excitation and the global pools. Of a run, of weights and \
      of a packed file it also says what they hold: task, classes, preparation of images, precision.

      \(BlockStringGrammar.help)

      EXAMPLES
        muxnet describe muxnet_m
        muxnet describe runs/pets
        muxnet describe pets.muxnet --json
        muxnet describe muxnet_xs --classes 10 --input-size 32 --output-stride 4 --blocks
        muxnet describe my-network.yaml --layers --json
      """)

  @OptionGroup var model: ModelOptionGroup

  @Flag(help: "List the blocks.")
  var blocks = false

  @Flag(help: "List the layers.")
  var layers = false

  @OptionGroup var output: OutputOptions

  func run() throws {
    let source = try ModelSource(model)
    let network = source.network
    let costs = try CostReport(network)
    let facts = try ModelFacts(source)
    if output.json {
      return try Console.json(Description(network, costs, facts, blocks: blocks, layers: layers))
    }
    Console.result(Self.summary(network, costs, facts))
    if blocks { Console.result("\n" + Self.blockTable(network, costs)) }
    if layers { Console.result("\n" + Self.layerTable(costs)) }
  }

  private struct Description: Encodable {
    let name: String
    let inputChannels: Int
    let inputSize: ImageSize
    let classes: Int?
    /// The layers that are outputs, where there are several.
    let outputs: [String]?
    let parameters: Int
    let multiplyAdds: Int
    let paperMultiplyAdds: Int
    let activations: Int
    let peakActivationBytes: Int
    let convention: String
    let shares: [KindShare]
    let blocks: [BlockCost]?
    let layers: [LayerCost]?
    /// What weights or a packed file say beside their network.
    let file: ModelFacts?

    init(
      _ network: Network, _ costs: CostReport, _ file: ModelFacts?, blocks: Bool, layers: Bool
    ) {
      self.file = file
      name = network.name
      inputChannels = network.inputChannels
      inputSize = costs.inputSize
      classes = network.classCount
      outputs = network.outputs.count > 1 ? network.outputs : nil
      parameters = costs.parameters
      multiplyAdds = costs.multiplyAdds
      paperMultiplyAdds = costs.paperMultiplyAdds
      activations = costs.activations
      peakActivationBytes = costs.peakActivationBytes
      convention = CostReport.convention
      shares = costs.shares
      self.blocks = blocks ? costs.blocks : nil
      self.layers = layers ? costs.layers : nil
    }
  }

  private static func summary(
    _ network: Network, _ costs: CostReport, _ file: ModelFacts?
  ) -> String {
    var facts = TextTable([(network.name, .left), ("", .right)])
    facts.append(["input", "\(network.inputChannels)×\(costs.inputSize)"])
    facts.append(["classes", network.classCount?.grouped ?? "–"])
    if network.outputs.count > 1 { facts.append(["outputs", network.outputs.count.grouped]) }
    facts.append(["parameters", costs.parameters.grouped])
    facts.append(["multiply-adds", costs.multiplyAdds.grouped])
    facts.append(["multiply-adds, paper's count", costs.paperMultiplyAdds.grouped])
    facts.append(["activations", costs.activations.grouped])
    facts.append(["peak activation memory (bytes)", costs.peakActivationBytes.grouped])
    var told = ""
    if let file {
      var table = TextTable([("", .left), ("", .left)])
      for row in file.rows { table.append(row) }
      told = table.text + "\n\n"
    }
    var kinds = TextTable([("KIND", .left), ("PARAMETERS", .right), ("MULTIPLY-ADDS", .right)])
    for share in costs.shares where share.parameters > 0 || share.multiplyAdds > 0 {
      kinds.append([share.kind.rawValue, share.parameters.percent, share.multiplyAdds.percent])
    }
    return facts.text + "\n\n" + told + kinds.text + "\n\n" + CostReport.convention
  }

  private static func blockTable(_ network: Network, _ costs: CostReport) -> String {
    var table = TextTable([
      ("BLOCK", .left), ("OUTPUT", .right), ("PARAMETERS", .right), ("MULTIPLY-ADDS", .right),
      ("", .left),
    ])
    let summaries = Dictionary(
      network.blocks.map { ($0.name, $0.summary) }, uniquingKeysWith: { first, _ in first })
    for block in costs.blocks {
      table.append([
        block.name.isEmpty ? "–" : block.name, block.outputShape.description,
        block.parameters.grouped, block.multiplyAdds.grouped, summaries[block.name] ?? "",
      ])
    }
    return table.text
  }

  private static func layerTable(_ costs: CostReport) -> String {
    var table = TextTable([
      ("LAYER", .left), ("OPERATION", .left), ("OUTPUT", .right), ("PARAMETERS", .right),
      ("MULTIPLY-ADDS", .right),
    ])
    for layer in costs.layers {
      table.append([
        layer.name, layer.operation, layer.outputShape.description, layer.parameters.grouped,
        layer.multiplyAdds.grouped,
      ])
    }
    return table.text
  }
}
