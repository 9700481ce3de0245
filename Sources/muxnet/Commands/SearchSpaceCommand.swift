// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXSearch
import MUXStudies

/// Shows a space.
struct SearchSpaceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "space",
    abstract: "Show a search space: its genes, size and range, and some of its networks.",
    discussion: """
      An invalid space is an error that names the key. --yaml prints a shipped space as a file to \
      start from.

      EXAMPLES
        muxnet search space small
        muxnet search space space.yaml --samples 3 --json
        muxnet search space small --yaml > space.yaml
      """)

  @Argument(help: "digits, small, imagenet or a YAML file.", completion: .file())
  var space: String

  @Option(help: "The number of random networks to show (default: 10).")
  var samples: Int?

  @Option(help: "The seed of the random networks (default: 0).")
  var seed: UInt64?

  @Flag(help: "Print the space as YAML instead.")
  var yaml = false

  @OptionGroup var output: OutputOptions

  private struct Record: Encodable {
    struct Gene: Encodable {
      var name: String
      var choices: [String]
    }

    struct Sample: Encodable {
      var genome: [Int]
      var params: Int
      var madds: Int
      var blocks: [String]
    }

    var name: String
    var genomes: Double
    var params: [Double]
    var madds: [Double]
    var genes: [Gene]
    var samples: [Sample]
  }

  func validate() throws {
    if yaml {
      try UnusedOptions.refuse(
        [("samples", samples != nil), ("seed", seed != nil), ("json", output.json)],
        because: "--yaml prints the space alone")
    }
    if let samples, !(0...10_000).contains(samples) {
      throw ValidationError("--samples must be from 0 to 10,000, not \(samples)")
    }
  }

  func run() throws {
    let space = try NetworkSpace.resolve(space)
    if yaml { return Console.file(try space.yaml()) }
    let domain = NetworkDomain(space, quantities: [.error, .params, .madds]) { _ in nil }
    // Finds what cannot be built, and limits that nothing keeps.
    let problem = try domain.problem()
    var search = RandomSearch(problem, seed: seed ?? 0)
    // Latency is not measured for a look.
    let verdicts = LimitVerdicts(others: true)
    let drawn = (0..<(samples ?? 10)).compactMap { _ -> Genome? in
      guard case .candidate(let candidate) = search.next(given: verdicts) else { return nil }
      return candidate.genome
    }
    let record = Record(
      name: space.name, genomes: domain.genes.reduce(1) { $0 * Double($1.choices) },
      params: [domain.reach(of: .params).lowerBound, domain.reach(of: .params).upperBound],
      madds: [domain.reach(of: .madds).lowerBound, domain.reach(of: .madds).upperBound],
      genes: zip(domain.genes, domain.choiceTexts).map { .init(name: $0.name, choices: $1) },
      samples: try drawn.map { genome in
        let costs = domain.costs(of: genome)
        return .init(
          genome: genome.values, params: costs?.parameters ?? 0, madds: costs?.multiplyAdds ?? 0,
          blocks: try domain.architecture(genome).stages.joined().map { "\($0)" })
      })
    if output.json { return try Console.json(record) }
    Console.result(Self.text(record, space.constraints))
  }

  private static func text(_ record: Record, _ limits: NetworkSpace.Constraints) -> String {
    func range(_ ends: [Double]) -> String {
      ends.map(StudyText.natural).joined(separator: " to ")
    }
    var lines = [
      "space       \(record.name)",
      "genomes     \(StudyText.natural(record.genomes)) of \(record.genes.count) genes",
      "params      \(range(record.params))", "madds       \(range(record.madds))",
    ]
    let given = [
      limits.maximumParameters.map { "\($0.grouped) parameters" },
      limits.maximumMultiplyAdds.map { "\($0.grouped) multiply-adds" },
      limits.maximumLatency.map { "\($0) ms for an image" },
    ].compactMap(\.self)
    if !given.isEmpty { lines.append("limits      \(given.joined(separator: ", "))") }
    var genes = TextTable([("GENE", .left), ("CHOICES", .left)])
    for gene in record.genes { genes.append([gene.name, gene.choices.joined(separator: ", ")]) }
    lines.append(genes.text)
    guard !record.samples.isEmpty else { return lines.joined(separator: "\n") }
    var samples = TextTable([("PARAMS", .right), ("MADDS", .right), ("BLOCKS", .left)])
    for sample in record.samples {
      samples.append([
        StudyText.natural(Double(sample.params)), StudyText.natural(Double(sample.madds)),
        sample.blocks.joined(separator: " "),
      ])
    }
    return (lines + [samples.text]).joined(separator: "\n")
  }
}
