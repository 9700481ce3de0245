// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXCore
  import MUXNetworkFiles
  import MUXReport
  import MUXSearch
  import MUXSearchTraining
  import MUXStudies

  /// Takes a network out of a super-network.
  struct SupernetExtractCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "extract",
      abstract: "Extract one network of a super-network, with its weights.",
      discussion: """
        Its batch-norm statistics are recalibrated on training images. It writes FILE.safetensors, \
        for muxnet evaluate, predict and convert, and FILE.yaml, the network: muxnet train --model \
        FILE.yaml --initial-weights FILE.safetensors trains it further.

        EXAMPLES
          muxnet search supernet extract runs/super --study quick --trial 17 --output best.safetensors
          muxnet search supernet extract runs/super found/small.yaml --output small.safetensors
        """)

    @OptionGroup var network: SupernetArgument

    @Option(help: "The study of --trial; may be left out where the storage has one study only.")
    var study: String?

    @Option(help: "The number of the trial whose network is extracted.")
    var trial: Int?

    @Option(
      name: [.short, .long], help: "The file for the weights, FILE.safetensors.",
      completion: .file()
    )
    var output: String

    @Option(help: "The network's name (default: from space and genome).")
    var name: String?

    @Flag(help: "Replace existing files.")
    var overwrite = false

    @OptionGroup var storage: StorageOptions

    func validate() throws {
      if (trial == nil) == (network.genome == nil) {
        throw ValidationError("name one network: a genome, a file of a network, or --trial")
      }
      if trial == nil {
        try UnusedOptions.refuse(
          [
            ("study", study != nil), ("storage", storage.storage != nil),
            ("ask-password", storage.askPassword),
          ], because: "no study is read without --trial")
      }
      if !output.hasSuffix(".safetensors") {
        throw ValidationError("--output takes a name that ends in .safetensors, not '\(output)'")
      }
    }

    func run() throws {
      let architectureFile = output.dropLast(".safetensors".count) + ".yaml"
      for file in [output, String(architectureFile)] {
        try ReportFile.check(file, overwrites: overwrite)
      }
      let supernet = try Supernet(run: network.run)
      let genome =
        if let trial {
          try Self.genome(of: trial, in: storage.coordinator(for: .read), study, supernet)
        } else { try network.genome(of: supernet) }
      let evaluator = try SupernetEvaluator(run: network.run)
      let architecture = try supernet.architecture(genome, name: name)
      try evaluator.write(genome, to: output, name: name)
      try AtomicFile.write(
        Array(try NetworkFile.yaml(architecture).utf8), to: String(architectureFile))
      Console.result(output)
    }

    private static func genome(
      of number: Int, in coordinator: StudyCoordinator, _ name: String?, _ supernet: Supernet
    ) throws -> Genome {
      let study = try coordinator.study(named: name)
      if let space = study.definition.networkDomain?.space { try supernet.require(space) }
      // The trial was judged by other weights than those that would be written.
      if case .supernet(_, let digest) = study.definition.evaluation, digest != supernet.digest {
        throw CommandError(
          "study '\(study.name)' was made with other weights than those in \(supernet.path), so trial"
            + " \(number) would not be what it says; give the run as it was, or name the network itself"
        )
      }
      let trial = try coordinator.store.read { try $0.trial(number, of: study.id) }
      guard let trial else {
        throw CommandError(
          "study '\(study.name)' has no trial \(number); muxnet search show lists them")
      }
      return trial.genome
    }
  }
#endif
