// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCharts
import MUXNetworks
import MUXReport

/// Draws a network.
struct DrawCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "draw",
    abstract: "Draw a network: blocks, layers, shapes, costs.",
    discussion: """
      An SVG picture goes to the standard output, or with --output to a file, whose extension gives \
      the format. PNG needs librsvg's rsvg-convert.

      EXAMPLES
        muxnet draw muxnet_xs > muxnet_xs.svg
        muxnet draw muxnet_m --classes 10 --output muxnet_m.png
        muxnet draw runs/pets --output pets.svg
        muxnet draw my-network.yaml --output my-network.svg --overwrite
      """)

  @OptionGroup var model: ModelOptionGroup

  @Option(help: "svg or png (default: by the extension of --output, else svg).")
  var format: Format?

  @Option(help: "The file to write.", completion: .file())
  var output: String?

  @Flag(help: "Replace an existing file.")
  var overwrite = false

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case svg, png
  }

  private var chosen: Format {
    format ?? (output?.lowercased().hasSuffix(".png") == true ? .png : .svg)
  }

  func validate() throws {
    if chosen == .png, output == nil { throw ValidationError("--format png needs --output FILE") }
    if output == nil, overwrite { throw ValidationError("--overwrite needs --output") }
  }

  func run() throws {
    if let output {
      try ReportFile.check(output, overwrites: overwrite, inputs: [model.model])
    }
    let picture = try NetworkDrawing(try model.network()).picture
    let bytes =
      switch chosen {
      case .svg: [UInt8](picture.svg.utf8)
      case .png: try PNGRenderer.png(picture)
      }
    guard let output else { return Console.result(bytes: Data(bytes)) }
    try ReportFile.write(bytes, to: output, overwrites: overwrite)
    Console.note("wrote \(output)")
  }
}
