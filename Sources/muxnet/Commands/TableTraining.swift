// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXConfiguration
  import MUXCore
  import MUXEvaluation
  import MUXPaper
  import MUXTasks
  import MUXTraining

  /// The trainings that fill one of the paper's tables.
  struct TableTraining {
    private struct Row {
      var plan: PlannedRun
      var run: ListedRun
      var images: Int
    }

    private let exhibit: ExhibitName
    private let options: TableTrainingOptions
    private let rows: [Row]
    private let list: RunList

    /// Images of each part in a check.
    private static let checkedImages = 128
    /// What the learning rate is multiplied by in a check.
    private static let checkedRate = 0.01

    /// Plans the rows; nothing is trained or written.
    init(_ exhibit: ExhibitName, _ options: TableTrainingOptions) throws {
      guard let data = options.data else { throw CommandError("name the data") }
      self.exhibit = exhibit
      self.options = options
      var plans = try exhibit.plannedRuns()
      guard !plans.isEmpty else {
        throw CommandError(
          "\(exhibit.rawValue) has no rows that are trained; --data is for table2, table4 and figure8"
        )
      }
      if let only = options.only {
        let names = only.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        let known = plans.map(\.model)
        if let unknown = names.first(where: { !known.contains($0) }) {
          throw CommandError(
            "--only: \(exhibit.rawValue) has no row '\(unknown)'; there are"
              + " \(known.joined(separator: ", "))")
        }
        plans = plans.filter { names.contains($0.model) }
      }
      rows = try plans.map { plan in
        let run = try Self.run(plan, options, data: data)
        let images = try run.configuration.data.open(.training).count
        return Row(plan: plan, run: run, images: images)
      }
      let folder = options.folder ?? "runs/\(exhibit.rawValue)"
      list = try RunList(
        folder: options.maxSteps == nil ? folder : "\(folder)/check", runs: rows.map(\.run))
    }

    private static func run(
      _ plan: PlannedRun, _ options: TableTrainingOptions, data: String
    ) throws -> ListedRun {
      var tree = try RecipeLibrary.load(plan.recipe)
      for assignment in options.assignments {
        try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
      }
      func set(_ path: String, _ value: String?, _ option: String) throws {
        if let value { try tree.set(path, toText: value, source: .option(option)) }
      }
      try set("data.path", data, "--data")
      try set("device", options.device, "--device")
      try set("model.name", plan.model, "the plan")
      try set("model.initialWeights", Self.weights(plan.backbone, options.weights), "--weights")
      if let steps = options.maxSteps {
        try set("maxSteps", "\(steps)", "--max-steps")
        try set("data.limit", "\(checkedImages)", "--max-steps")
        // No evaluation but the last one.
        try set("evaluateEveryEpochs", "100000", "--max-steps")
      }
      var configuration = try tree.decode(TrainingConfiguration.self)
      // From random weights, and without a warm-up, VGG16 diverges at the recipe's rate before a check is over.
      if options.maxSteps != nil { configuration.optimizer.learningRate *= checkedRate }
      try configuration.validate()
      let isDiagnosis = plan.metric == MultiLabel.auroc
      return ListedRun(
        name: plan.model, configuration: configuration,
        augmentation: isDiagnosis ? .tenCrop : .none,
        resampling: isDiagnosis ? Resampling() : nil)
    }

    /// The file of a network's weights in a folder of them; nil where there is none.
    private static func weights(_ network: String, _ folder: String?) throws -> String? {
      guard let folder else { return nil }
      guard FileManager.default.fileExists(atPath: folder) else {
        throw CommandError("the folder of weights \(folder) does not exist")
      }
      return ["safetensors", "pth", "pt", "pth.tar", "bin"].map { "\(folder)/\(network).\($0)" }
        .first { FileManager.default.fileExists(atPath: $0) }
    }

    // MARK: The plan

    /// What is to be done, and how long that will take.
    func plan() throws -> String {
      var table = TextTable([
        ("ROW", .left), ("STATE", .left), ("STARTS FROM", .left), ("IMAGES", .right),
        ("EPOCHS", .right), ("HOURS, 2 CORES", .right), ("HOURS, GPU", .right),
      ])
      var (cores, gpu) = (0.0, 0.0)
      for row in rows {
        let state = try list.state(of: row.run)
        let configuration = row.run.configuration
        let steps = Double(configuration.maxSteps * configuration.batchSize)
        var cost = TrainingCost(
          multiplyAdds: row.plan.costs.multiplyAdds, images: row.images,
          epochs: configuration.epochs)
        if configuration.maxSteps > 0 {
          cost.multiplyAdds = 3 * Double(row.plan.costs.multiplyAdds) * steps
        }
        let hours = (
          cost.hours(perSecond: TrainingCost.twoCores), cost.hours(perSecond: TrainingCost.gpu)
        )
        let text: String
        switch state {
        case .waiting: text = "to do"
        case .begun: text = "begun"
        case .done(let outcome):
          text = "done in \(Self.hours(outcome.seconds / 3600)) h"
        }
        if case .done = state {} else { (cores, gpu) = (cores + hours.0, gpu + hours.1) }
        table.append([
          row.plan.model, text, configuration.model.initialWeights ?? "random weights",
          row.images.grouped,
          configuration.maxSteps > 0
            ? "\(configuration.maxSteps) steps" : configuration.epochs.grouped,
          Self.hours(hours.0), Self.hours(hours.1),
        ])
      }
      return table.text
        + "\nto do: \(Self.hours(cores)) hours on two cores or \(Self.hours(gpu)) on a GPU, by"
        + " arithmetic: three times the multiply-adds of the forward pass, at"
        + " \(Int(TrainingCost.twoCores / 1e9)) (as in a step of MUXNet-m) and"
        + " \(Int(TrainingCost.gpu / 1e9).grouped) (assumed) thousand million a second"
        + "\nin \(list.folder)"
    }

    private static func hours(_ hours: Double) -> String {
      hours < 0.095 ? hours.fixed(3) : hours < 9.95 ? hours.fixed(1) : Int(hours.rounded()).grouped
    }

    // MARK: The trainings

    /// Trains and measures what is missing; gives the signal that asked to stop, and the rows that cannot be
    /// trained as they are.
    func train() throws -> (signal: Int32?, failed: [String]) {
      StopSignal.watch()
      let showsProgress = Console.errorIsTerminal
      var failed: [String] = []
      let signal = try list.run(
        observers: { run in
          Console.note("\(run.name):")
          let style = ProgressRenderer.Style(
            isTerminal: showsProgress, width: Console.errorWidth,
            everySteps: run.configuration.output.logEverySteps)
          return [ProgressRenderer(style: style) { Console.standardError($0) }]
        },
        progress: { _, done, total in
          if showsProgress {
            Console.standardError("\r\(done.grouped) of \(total.grouped) test images")
          }
        },
        finished: { run, outcome in
          if showsProgress { Console.standardError("\r\u{1b}[2K") }
          let metrics = run.configuration.task.task.metrics.map {
            "\($0.label) \($0.text(outcome.scores[$0]))"
          }
          Console.note("\(run.name): \(metrics.joined(separator: ", "))")
        },
        failed: { run, error in
          if showsProgress { Console.standardError("\r\u{1b}[2K") }
          Console.note("\(run.name) has failed: \(error)")
          failed.append(run.name)
        })
      return (signal, failed)
    }

    /// The rows that are done, for the table.
    func results() throws -> [TableRun] {
      try rows.compactMap { row in
        guard case .done(let outcome) = try list.state(of: row.run) else { return nil }
        return TableRun(
          model: row.plan.model, value: outcome.scores[row.plan.metric],
          command: command(for: row.plan), note: note(row, outcome))
      }
    }

    private func command(for plan: PlannedRun) -> String {
      let folder = options.folder.map { " --folder \(ShellWord.quoted($0))" } ?? ""
      let settings = options.assignments.map { " --set \(ShellWord.quoted($0))" }.joined()
      let steps = options.maxSteps.map { " --max-steps \($0)" } ?? ""
      return "muxnet reproduce \(exhibit.rawValue) --data \(ShellWord.quoted(options.data ?? ""))"
        + " --only \(plan.model)\(folder)\(steps)\(settings)"
    }

    /// What a number was measured on, and what keeps it from being compared.
    private func note(_ row: Row, _ outcome: ListedOutcome) -> String {
      let data = row.run.configuration.data
      let part = data.source == .voc ? "\(data.testFolder), " : ""
      let score = outcome.scores[row.plan.metric]
      var text =
        "\(row.plan.title) here: \(part)\(outcome.scores.count.grouped) test images"
        + (outcome.division.map { " (\($0))" } ?? "")
        + ", \(outcome.epochs.grouped) epochs of \(outcome.trainingImages.grouped) training images, from"
        + " \(row.run.configuration.model.initialWeights == nil ? "random" : "ImageNet") weights"
      if row.run.augmentation == .tenCrop { text += ", ten crops" }
      if let all = outcome.intervals?.all, score != nil {
        text +=
          ", 95 % of draws of patients within \((all.lower * 100).fixed(2)) and"
          + " \((all.upper * 100).fixed(2))"
      }
      if outcome.ending == .maxSteps {
        text += "; a check of \(outcome.steps) steps, which says nothing about the network"
      }
      return text
    }
  }
#endif
