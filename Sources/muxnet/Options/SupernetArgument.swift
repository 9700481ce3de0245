// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXNetworkFiles
  import MUXSearch
  import MUXSearchTraining

  /// A super-network, and one of its networks.
  struct SupernetArgument: ParsableArguments {
    @Argument(help: "The folder of a super-network's run.", completion: .directory)
    var run: String

    @Argument(
      help: ArgumentHelp(
        "A network: the numbers of its choices, such as 1-0-2-0-…, or a file.",
        valueName: "network"))
    var genome: String?

    /// The choices that the argument names.
    func genome(of supernet: Supernet) throws -> Genome {
      try Self.genome(genome ?? "", of: supernet)
    }

    /// The choices that a text names.
    static func genome(_ text: String, of supernet: Supernet) throws -> Genome {
      let numbers = text.split(whereSeparator: { ",-".contains($0) }).map { Int($0) }
      let values = numbers.compactMap(\.self)
      if !values.isEmpty, values.count == numbers.count {
        return try supernet.canonical(Genome(values))
      }
      return try supernet.encode(NetworkFile.architecture(text))
    }
  }
#endif
