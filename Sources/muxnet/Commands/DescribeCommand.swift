// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXNetworks
import MUXRuntime

/// Shows what a network is made of and what it costs.
struct DescribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Show what a network is made of and what it costs.",
    discussion: """
      Costs are for one image. Multiply-adds count convolutions and linear layers; the paper's count \
      adds the products of squeeze-and-excitation and the global pools. For a run, weights or a \
      packed file it also shows the task, the classes, the preprocessing of images and the \
      precision.

      \(BlockStringGrammar.help)

      EXAMPLES
        muxnet describe muxnet_m
        muxnet describe runs/pets
        muxnet describe pets.muxnet --json
        muxnet describe muxnet_xs --classes 10 --input-size 32 --output-stride 4 --blocks
        muxnet describe my-network.yaml --layers --json
        muxnet describe muxnet_m --plan --precision int8
        muxnet describe muxnet_m --plan --after lower
      """)

  @OptionGroup var model: ModelOptionGroup

  @Flag(help: "List the blocks.")
  var blocks = false

  @Flag(help: "List the layers.")
  var layers = false

  @Flag(
    help:
      "Show the runtime's plan for the network on this processor, one line per step."
  )
  var plan = false

  @Option(help: "With --plan: the compiler pass after which to show it (default: place).")
  var after: PlanPass?

  @Option(help: "With --plan: the precision of the operands (default: float32).")
  var precision: Precision?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if !plan, after != nil || precision != nil {
      throw ValidationError("--after and --precision say how a plan is shown; add --plan")
    }
    if plan {
      try UnusedOptions.refuse(
        [("blocks", blocks), ("layers", layers)], because: "--plan shows steps instead")
    }
  }

  func run() throws {
    let source = try ModelSource(model)
    let network = source.network
    if plan { return try show(plan: network) }
    let costs = try CostReport(network)
    let facts = try ModelFacts(source)
    if output.json {
      return try Console.json(Description(network, costs, facts, blocks: blocks, layers: layers))
    }
    Console.result(Self.summary(network, costs, facts))
    if blocks { Console.result("\n" + Self.blockTable(network, costs)) }
    if layers { Console.result("\n" + Self.layerTable(costs)) }
  }

  private struct Plan: Encodable {
    let name: String
    let precision: Precision
    let pass: String
    let lines: [String]
  }

  private func show(plan network: Network) throws {
    let precision = precision ?? .float32, pass = after ?? .place
    let listing = try PlanListing(
      network, precision: precision, lanes: InstructionSet.current.lanes)
    let text = listing.text(after: pass)
    guard output.json else { return Console.result(text) }
    try Console.json(
      Plan(
        name: network.name, precision: precision, pass: pass.rawValue,
        lines: text.split(separator: "\n").map(String.init)))
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

extension PlanPass: ExpressibleByArgument {}
