// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Everything that searches for networks.
struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Search for networks under budgets of parameters and multiply-adds.",
    discussion: """
      A study is a search that is kept in a storage (a file, or a PostgreSQL database), so that any \
      process may be killed and restarted. Docs/SEARCH.md has the details.

      EXAMPLES
        muxnet search run digits --space digits --recipe digits_search --trials 60
        muxnet search best digits --networks found
      """,
    subcommands: [
      SearchCreateCommand.self, SearchRunCommand.self, SearchWorkerCommand.self,
      SearchListCommand.self, SearchShowCommand.self, SearchParetoCommand.self,
      SearchBestCommand.self, SearchSpaceCommand.self, SearchAskCommand.self,
      SearchTellCommand.self, SearchEnqueueCommand.self, SearchCopyCommand.self,
      SearchEditCommand.self, SearchReportCommand.self, SearchRetryCommand.self,
      SearchExportCommand.self, SearchSupernetCommand.self, SearchDeleteCommand.self,
      SearchBenchmarkCommand.self,
      SearchAsksCommand.self,
    ])
}
