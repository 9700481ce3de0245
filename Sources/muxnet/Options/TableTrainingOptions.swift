// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser

  /// How the rows of a table are trained.
  struct TableTrainingOptions: ParsableArguments {
    @Option(
      help: "Tables 2 and 4, figure 8: train what is missing on this data and fill in the exhibit.",
      completion: .directory)
    var data: String?

    @Option(
      help: ArgumentHelp(
        "With --data: a folder of ImageNet weights, named after their networks (muxnet_m.pth).",
        valueName: "folder"),
      completion: .directory)
    var weights: String?

    @Option(
      help: ArgumentHelp(
        "With --data: the folder of the runs (default: runs/TABLE); another call continues there.",
        valueName: "folder"),
      completion: .directory)
    var folder: String?

    @Option(
      help: ArgumentHelp(
        "With --data: only these rows, by their names in the plan.", valueName: "row,…"))
    var only: String?

    @Option(
      help: ArgumentHelp(
        "With --data: end each training after this many steps, on few images and at a hundredth of the learning rate, as an end-to-end check.",
        valueName: "steps"))
    var maxSteps: Int?

    @Option(help: "With --data: the device: cpu, cuda, cuda:1 or mps.")
    var device: String?

    @Option(
      name: .customLong("set"),
      help: ArgumentHelp(
        "With --data: any setting of the recipes by its dotted path.", valueName: "key=value"))
    var assignments: [String] = []

    @Flag(help: "With --data: print the plan and stop.")
    var dryRun = false

    func validate() throws {
      if let maxSteps, maxSteps < 1 {
        throw ValidationError("--max-steps must be at least 1, not \(maxSteps)")
      }
      guard data == nil else { return }
      let given = [
        ("weights", weights), ("folder", folder), ("only", only),
        ("max-steps", maxSteps.map { "\($0)" }), ("device", device), ("set", assignments.first),
        ("dry-run", dryRun ? "" : nil),
      ].filter { $0.1 != nil }.map { "--\($0.0)" }
      if !given.isEmpty {
        throw ValidationError("\(given.joined(separator: ", ")): only together with --data FOLDER")
      }
    }
  }
#endif
