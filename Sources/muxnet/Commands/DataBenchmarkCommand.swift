// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXTraining
  import MUXVision

  /// Times the loader of training images alone.
  struct DataBenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "benchmark",
      abstract: "Measure how many training images per second the loader prepares.",
      discussion: """
        Images are decoded, augmented and batched as the settings (a recipe, a file, options) say; \
        data.workers is the number of threads, and data.cache keeps decoded images in memory.

        EXAMPLES
          muxnet data benchmark --recipe imagenet_muxnet --data imagenet --set data.workers=2
          muxnet data benchmark --recipe cifar10_scratch --data cifar10 --json
        """)

    @Option(help: "How long to measure.")
    var seconds = 5.0

    @OptionGroup var settings: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
      if !(seconds > 0 && seconds.isFinite) {
        throw ValidationError("--seconds must be above 0, not \(seconds)")
      }
      let unused = [
        "epochs", "learning-rate", "initial-weights", "teacher", "device", "threads", "time-budget",
        "max-steps", "output", "name", "overwrite",
      ]
      try UnusedOptions.refuse(
        unused.map { ($0, settings.given(except: []).contains("--\($0)")) },
        because: "nothing is trained, and no run is made")
    }

    func run() throws {
      let result = try LoaderBenchmark(
        training: settings.configuration(), atLeastSeconds: seconds)
      if output.json { return try Console.json(result) }
      Console.result(
        "\(result.imagesPerSecond.fixed(1)) images/s with \(result.workers) worker"
          + "\(result.workers == 1 ? "" : "s"), \(result.images.grouped) images in"
          + " \(result.seconds.fixed(1)) s")
    }
  }
#endif
