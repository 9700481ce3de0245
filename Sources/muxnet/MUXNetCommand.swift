// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXConfiguration

/// The root of the command line.
struct MUXNetCommand: ParsableCommand {
  #if TORCH
    private static let lowerHalf: [any ParsableCommand.Type] = [
      TrainCommand.self, SettingsCommand.self,
    ]
    private static let note = ""
  #else
    private static let lowerHalf: [any ParsableCommand.Type] = []
    private static let note = """


      This build has no libtorch, so train, settings, data preview, data export, data benchmark, \
      benchmark --train and --engine torch are absent; build without MUXNET_TORCH=0 to have them.
      """
  #endif

  static let configuration = CommandConfiguration(
    commandName: "muxnet",
    abstract: "Compact, fast image networks: train, evaluate and run MUXNet.",
    discussion: """
      Results go to the standard output (with --json as JSON), progress and messages to the \
      standard error.

      EXIT CODES
        0    success
        1    failure; one line “error: …” says what, where and how to fix it
        64   wrong usage
        130  interrupted (Ctrl-C)

      EXAMPLES
        muxnet models 'mux*'
        muxnet describe muxnet_m --layers
        muxnet convert checkpoint.pth.tar weights.safetensors

      Shell completions: muxnet --generate-completion-script bash|zsh|fish\(note)
      """,
    version: MUXNetVersion.current,
    subcommands: lowerHalf + [
      EvaluateCommand.self, PredictCommand.self, RunCommand.self, ForwardCommand.self,
      BenchmarkCommand.self, ModelsCommand.self, DescribeCommand.self, DataCommand.self,
      ConvertCommand.self,
      QuantizeCommand.self, WeightsCommand.self, SearchCommand.self, DashboardCommand.self,
      DrawCommand.self,
      ReproduceCommand.self, EnvironmentCommand.self, NodeCommand.self,
    ])
}
