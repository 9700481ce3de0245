// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXNetworks

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

  @Argument(help: "A pattern with * and ?, or a part of the name.")
  var pattern = "*"

  @OptionGroup var output: OutputOptions

  private struct Row: Encodable {
    let name: String
    let parameters: Int
    let multiplyAdds: Int
    let paperMultiplyAdds: Int
    let inputSize: ImageSize
    let summary: String
  }

  func run() throws {
    let rows = try ModelZoo.entries(matching: pattern).map { entry in
      let costs = try CostReport(try entry.architecture().network())
      return Row(
        name: entry.name, parameters: costs.parameters, multiplyAdds: costs.multiplyAdds,
        paperMultiplyAdds: costs.paperMultiplyAdds, inputSize: costs.inputSize,
        summary: entry.summary)
    }
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
        row.name, row.parameters.grouped, row.multiplyAdds.grouped, row.paperMultiplyAdds.grouped,
        row.inputSize.description, row.summary,
      ])
    }
    Console.result(table.text)
    Console.note(CostReport.convention)
  }
}
