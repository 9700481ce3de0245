// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXNetworks
import MUXReport

/// Lists the zoo.
struct ModelsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "models",
    abstract: "List the networks that are known by name.",
    discussion: """
      Multiply-adds count convolutions and linear layers for one image; the paper's count adds \
      the products of squeeze-and-excitation and the global pools.

      EXAMPLES
        muxnet models
        muxnet models 'mobilenetv2_*'
        muxnet models mux --json
      """)

  @Argument(help: "A pattern with * and ?, or part of a name.")
  var pattern = "*"

  @OptionGroup var output: OutputOptions

  @Flag(help: "Print a table in Markdown.")
  var markdown = false

  func validate() throws {
    if markdown, output.json { throw ValidationError("give either --json or --markdown") }
  }

  private struct Row: Encodable {
    let name: String
    let parameters: Int
    let multiplyAdds: Int
    var paperMultiplyAdds: Int?
    var inputSize: ImageSize?
    let summary: String
    /// The public implementation whose weights load by name.
    var reference: String?
    /// Whether the counts are the paper's, of a network without a public definition.
    var quoted: Bool?
  }

  func run() throws {
    if markdown { return Console.result(try ZooTable.markdown(matching: pattern)) }
    let rows = try ModelZoo.entries(matching: pattern).map { entry in
      let costs = try CostReport(try entry.network())
      return Row(
        name: entry.name, parameters: costs.parameters, multiplyAdds: costs.multiplyAdds,
        paperMultiplyAdds: costs.paperMultiplyAdds, inputSize: costs.inputSize,
        summary: entry.summary, reference: entry.reference)
    }
    let quoted = QuotedFigures.all(matching: pattern).map {
      Row(
        name: $0.name, parameters: $0.parameters, multiplyAdds: $0.multiplyAdds,
        summary: $0.summary, quoted: true)
    }
    try show(rows + quoted)
  }

  private func show(_ rows: [Row]) throws {
    guard !rows.isEmpty else {
      throw CommandError("no model matches '\(pattern)'; 'muxnet models' lists them all")
    }
    if output.json { return try Console.json(rows) }
    var table = TextTable([
      ("MODEL", .left), ("PARAMETERS", .right), ("MULTIPLY-ADDS", .right), ("PAPER'S", .right),
      ("INPUT", .left), ("", .left),
    ])
    for row in rows {
      table.append([
        row.name, (row.quoted == true ? "≈ " : "") + row.parameters.grouped,
        (row.quoted == true ? "≈ " : "") + row.multiplyAdds.grouped,
        row.paperMultiplyAdds?.grouped ?? "–", row.inputSize?.description ?? "–", row.summary,
      ])
    }
    Console.result(table.text)
    Console.note(CostReport.convention)
  }
}
