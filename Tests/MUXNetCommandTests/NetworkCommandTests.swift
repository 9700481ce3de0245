// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

@Suite("models, describe and convert of networks", .tags(.processes), .endsSometime)
struct NetworkCommandTests {
  @Test(
    "describe --json has the numbers of the paper's networks",
    arguments: [
      ("muxnet_m", [], 3_354_276, 216_808_112, 218_471_960),
      ("muxnet_l", [], 4_041_178, 316_454_832, 318_708_984),
      ("muxnet_s", [], 2_398_988, 116_012_096, 117_272_192),
      ("muxnet_xs", [], 1_798_748, 65_357_680, 66_196_736),
      ("muxnet_m", ["--classes", "10"], 2_086_086, 215_540_912, 217_204_760),
    ] as [(String, [String], Int, Int, Int)])
  func describe(
    model: String, options: [String], parameters: Int, multiplyAdds: Int, paper: Int
  ) throws {
    let result = try Muxnet.json(["describe", model, "--json"] + options)
    #expect(result["parameters"] as? Int == parameters)
    #expect(result["multiplyAdds"] as? Int == multiplyAdds)
    #expect(result["paperMultiplyAdds"] as? Int == paper)
    #expect(result["layers"] == nil)
  }

  @Test("The input size changes the multiply-adds and not the parameters")
  func inputSize() throws {
    let result = try Muxnet.json(["describe", "muxnet_m", "--input-size", "192", "--json"])
    #expect(result["parameters"] as? Int == 3_354_276)
    #expect(result["multiplyAdds"] as? Int == 159_798_848)
  }

  @Test("describe --layers lists each layer, and their costs add up")
  func layers() throws {
    let result = try Muxnet.json(["describe", "muxnet_xs", "--layers", "--blocks", "--json"])
    for list in ["layers", "blocks"] {
      let rows = try #require(result[list] as? [[String: Any]])
      let sum = rows.reduce(0) { $0 + ($1["parameters"] as? Int ?? 0) }
      #expect(sum == 1_798_748, "\(list)")
    }
    let text = try Muxnet.run(["describe", "muxnet_xs", "--layers"])
    #expect(text.output.contains("blocks.2.0.conv_dw"))
    #expect(text.output.contains("1,798,748"))
  }

  @Test("describe --plan shows the runtime's steps after each pass of its compiler")
  func plan() throws {
    func lines(_ options: [String]) throws -> [String] {
      let result = try Muxnet.json(["describe", "muxnet_xs", "--plan", "--json"] + options)
      return try #require(result["lines"] as? [String])
    }
    let place = try lines([])
    #expect(place[0].hasPrefix("# muxnet_xs, float32, "))
    #expect(place[0].hasSuffix(" after place"))
    #expect(place.last?.hasPrefix("arena ") == true)
    #expect(!place.contains { $0.contains(" = pack ") })
    // A step for each of the lower pass, and those that convert.
    let lower = try lines(["--after", "lower", "--precision", "int8"])
    let formats = try lines(["--after", "formats", "--precision", "int8"])
    let packs = formats.count { $0.contains(" = pack ") }
    #expect(packs > 0)
    #expect(formats.count == lower.count + packs)
    #expect(try lines(["--after", "match"]).contains { $0.hasPrefix("block ") })
    let text = try Muxnet.run(["describe", "muxnet_xs", "--plan"])
    #expect(text.output == place.joined(separator: "\n") + "\n")
    let unknown = try Muxnet.run(["describe", "muxnet_xs", "--plan", "--after", "pas"])
    #expect(unknown.code == 64)
    let alone = try Muxnet.run(["describe", "muxnet_xs", "--after", "match"])
    #expect(alone.code == 64)
    #expect(alone.errors.contains("add --plan"))
  }

  @Test("models takes patterns, and its numbers are those of describe")
  func models() throws {
    let outcome = try Muxnet.run(["models", "muxnet_?", "--json"])
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
    #expect(rows.map { $0["name"] as? String } == ["muxnet_l", "muxnet_m", "muxnet_s"])
    #expect(rows[1]["paperMultiplyAdds"] as? Int == 218_471_960)
    let none = try Muxnet.run(["models", "resnext*"])
    #expect(none.code == 1)
    #expect(none.errors.hasPrefix("error: no model matches 'resnext*'"))
  }

  @Test("An unknown table, or tables that are not there, are one line and exit code 1")
  func searchBenchmark() throws {
    let unknown = try Muxnet.run(["search", "benchmark", "--table", "cifar", "--data", "."])
    #expect(unknown.code == 1)
    #expect(unknown.errors.hasPrefix("error: cifar: unknown table; there are nas-bench-macro"))
    let missing = try Muxnet.run(
      ["search", "benchmark", "--table", "nasbench101", "--data", "/nonexistent.tfrecord"])
    #expect(missing.code == 1)
    #expect(missing.errorLines.count == 1)
    #expect(missing.errors.contains("there is no such file"))
    #expect(try Muxnet.run(["search", "benchmark"]).code == 64)
  }

  @Test("Where no name is near, the command line says what lists them")
  func hints() throws {
    let model = try Muxnet.run(["describe", "zzzzzz"])
    #expect(model.code == 1)
    #expect(model.errorLines == ["error: unknown model 'zzzzzz'; 'muxnet models' lists them"])
  }

  @Test("An unknown model is one line with the nearest names and exit code 1")
  func unknownModel() throws {
    let outcome = try Muxnet.run(["describe", "muxnet_n"])
    #expect(outcome.code == 1)
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("muxnet_m"))
    #expect(outcome.output.isEmpty)
  }

  @Test(
    "Images too small for the strides are one line that names the layer",
    arguments: [
      (["describe", "vgg16", "--input-size", "31"], "'features.30'"),
      (["describe", "ssd300_vgg16", "--input-size", "200"], "'backbone.extra."),
      (["draw", "densenet121", "--input-size", "15"], "'features.transition3.pool'"),
    ])
  func tooSmall(arguments: [String], layer: String) throws {
    let outcome = try Muxnet.run(arguments)
    #expect(outcome.code == 1 && outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.contains("layer \(layer)"), "\(outcome.errors)")
    #expect(outcome.errors.contains("too small for the strides"), "\(outcome.errors)")
  }

  @Test(
    "A network survives being written as a file",
    arguments: ["net.json", "net.yaml", "blocks.yaml"]
  )
  func networkFiles(name: String) throws {
    let folder = try TemporaryFolder()
    let options = name == "blocks.yaml" ? ["--blocks"] : []
    let written = try Muxnet.run(
      ["convert", "muxnet_s", folder(name), "--classes", "10"] + options)
    #expect(written.code == 0, "\(written.errors)")
    let result = try Muxnet.json(["describe", folder(name), "--json"])
    #expect(result["parameters"] as? Int == 1_130_798)
    #expect(result["multiplyAdds"] as? Int == 114_744_896)
  }

  @Test("environment reports the version and the processor")
  func environment() throws {
    let result = try Muxnet.json(["environment", "--json"])
    #expect(result["cores"] as? Int ?? 0 >= 1)
    #expect((result["version"] as? String)?.isEmpty == false)
  }
}
