// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXCore
  import MUXNetworkFiles
  import MUXSearch
  import MUXSearchTraining

  /// Judges networks by a super-network.
  struct SupernetEvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "evaluate",
      abstract:
        "Evaluate networks with the weights of a super-network, with and without recalibrated statistics.",
      discussion: """
        Networks are named, or drawn from the space (--random, within --madds). Each line has the \
        genome, the costs, the error with batch-norm statistics recalibrated on training images, and \
        the error with those that all networks share. A network that cannot be evaluated is named, \
        and the others continue.

        EXAMPLES
          muxnet search supernet evaluate runs/super found/small.yaml
          muxnet search supernet evaluate runs/super --random 12 --seed 1 --madds 18.5M,25M
        """)

    @Argument(help: "The folder of a super-network's run.", completion: .directory)
    var folder: String

    @Argument(
      help: ArgumentHelp(
        "Networks: the numbers of their choices, such as 1-0-2-0-…, or files.", valueName: "network"
      ))
    var genomes: [String] = []

    @Option(help: "The number of networks to draw from the space.")
    var random = 0

    @Option(help: "The seed for drawing networks (default: 0).")
    var seed: UInt64?

    @Option(
      help: ArgumentHelp(
        "The least and the most multiply-adds of drawn networks, such as 18.5M,25M.",
        valueName: "least,most"))
    var madds: String?

    @Option(help: "Training images for the statistics (default: as many as in the training).")
    var statisticsImages: Int?

    @Option(
      help: "A folder to write the drawn networks into, for muxnet train --model.",
      completion: .directory)
    var networks: String?

    @OptionGroup var output: OutputOptions

    private struct Record: Encodable {
      var genome: [Int]
      var params: Int
      var madds: Int
      var error: Double
      var errorUnmeasured: Double
      var seconds: Double
    }

    func validate() throws {
      if !(0...100_000).contains(random) {
        throw ValidationError("--random must be from 0 to 100000, not \(random)")
      }
      if genomes.isEmpty, random == 0 {
        throw ValidationError("name a network, or draw some by --random")
      }
      if let statisticsImages, statisticsImages < 1 {
        throw ValidationError(
          "--statistics-images must be at least 1, not \(statisticsImages): batch norms have no statistics"
            + " without images")
      }
      if random == 0 {
        try UnusedOptions.refuse(
          [("seed", seed != nil), ("madds", madds != nil), ("networks", networks != nil)],
          because: "nothing is drawn without --random")
      }
    }

    func run() throws {
      let supernet = try Supernet(run: folder)
      var genomes: [(name: String, genome: Genome)] = []
      var broken = 0
      for text in self.genomes {
        do { genomes.append((text, try SupernetArgument.genome(text, of: supernet))) } catch {
          Console.warning("\(text): \(error)")
          broken += 1
        }
      }
      for (index, genome) in try supernet.draw(random, seed: seed ?? 0, madds: band()).enumerated()
      {
        genomes.append(("drawn-\(index + 1)", genome))
      }
      if let networks {
        try write(genomes.filter { $0.name.hasPrefix("drawn-") }, of: supernet, to: networks)
      }
      let evaluator = try SupernetEvaluator(run: folder, statisticsImages: statisticsImages)
      var records: [Record] = []
      if !output.json { Console.result("genome,params,madds,error,error_unmeasured,seconds") }
      for (name, genome) in genomes {
        do {
          let start = ContinuousClock.now
          let measured = try evaluator.values(of: genome)[Metric.error.name] ?? .nan
          let seconds = Seconds.since(start)
          let shared =
            try evaluator.values(of: genome, measuring: false)[Metric.error.name]
            ?? .nan
          let costs = supernet.costs(of: genome)
          let record = Record(
            genome: genome.values, params: costs?.parameters ?? 0, madds: costs?.multiplyAdds ?? 0,
            error: measured, errorUnmeasured: shared, seconds: seconds)
          records.append(record)
          if !output.json { Console.result(Self.line(record)) }
        } catch let error as SupernetError {
          throw error
        } catch {
          Console.warning("\(name): \(error)")
          broken += 1
        }
      }
      if output.json { try Console.json(records) }
      if broken > 0 {
        throw CommandError(
          "\(broken) network\(broken == 1 ? " was" : "s were") not judged; see above")
      }
    }

    private static func line(_ record: Record) -> String {
      let genome = record.genome.map(String.init).joined(separator: "-")
      return "\(genome),\(record.params),\(record.madds),"
        + String(format: "%.3f,%.3f,%.2f", record.error, record.errorUnmeasured, record.seconds)
    }

    private func band() throws -> ClosedRange<Int>? {
      guard let madds else { return nil }
      let parts = madds.split(separator: ",").map(String.init)
      guard parts.count == 2 else {
        throw CommandError("--madds takes LEAST,MOST, such as 18.5M,25M, not '\(madds)'")
      }
      let (least, most) = (
        try StudyOptions.count(parts[0], "--madds"), try StudyOptions.count(parts[1], "--madds")
      )
      guard least <= most else {
        throw CommandError("--madds takes the least first, not '\(madds)'")
      }
      return least...most
    }

    private func write(
      _ genomes: [(name: String, genome: Genome)], of supernet: Supernet, to folder: String
    ) throws {
      try Folders.make(folder)
      for (name, genome) in genomes {
        let text = try NetworkFile.yaml(supernet.architecture(genome, name: name))
        try AtomicFile.write(Array(text.utf8), to: "\(folder)/\(name).yaml")
      }
    }
  }
#endif
