// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXCore
  import MUXTraining

  /// Tells about the settings of a training.
  struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "settings",
      abstract: "List the settings of training: their meanings, defaults and allowed values.",
      discussion: """
        Settings stand in recipes and files (--recipe, --config), in environment variables \
        (MUXNET_OPTIMIZER__LEARNING_RATE is optimizer.learningRate) and after --set. A default in \
        parentheses describes what happens without a value. With KEY, a setting or a group such as \
        optimizer, it is described in detail. Docs/TRAINING.md explains how to use them.

        EXAMPLES
          muxnet settings
          muxnet settings optimizer
          muxnet settings schedule.warmUp.epochs
          muxnet settings --json
        """)

    @Argument(help: "A setting by its dotted path, or a group of settings.")
    var key: String?

    @OptionGroup var output: OutputOptions

    @Flag(help: "Print tables in Markdown.")
    var markdown = false

    func validate() throws {
      if markdown, output.json { throw ValidationError("give either --json or --markdown") }
    }

    func run() throws {
      let all = TrainingConfiguration().settingDescriptions()
      let chosen = try key.map { try SettingTables.settings(named: $0, among: all) } ?? all
      if output.json { return try Console.json(chosen) }
      if markdown { return Console.result(SettingTables.markdown(chosen)) }
      Console.result(key == nil ? SettingTables.overview(chosen) : SettingTables.details(chosen))
    }
  }
#endif
