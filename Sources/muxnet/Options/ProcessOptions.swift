// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXEvaluation
  import MUXTensor
  import MUXTraining

  /// Several processes that train together.
  struct ProcessOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "Train in this many processes on this machine, each with its share of every batch.",
        valueName: "n"))
    var processes: Int?

    @Option(
      help: ArgumentHelp(
        "With --processes or --nodes: if one fails, restart all from the last checkpoint, up to this many "
          + "times.", valueName: "n"))
    var restarts: Int?

    @OptionGroup var hosts: NodeOptions

    func validate() throws {
      if let processes, !(1...1024).contains(processes) {
        throw ValidationError("--processes must be 1 … 1024")
      }
      if hosts.nodes != nil, processes != nil {
        throw ValidationError("--nodes says how many processes there are; leave out --processes")
      }
      if let restarts {
        guard hosts.nodes != nil || processes ?? 1 > 1 else {
          throw ValidationError("--restarts is for --nodes, and for --processes of 2 or more")
        }
        guard (0...1_000_000).contains(restarts) else {
          throw ValidationError("--restarts must be 0 … 1000000")
        }
      }
    }

    /// The names of options that were given.
    var given: [(name: String, isGiven: Bool)] {
      [("processes", processes ?? 1 > 1), ("nodes", hosts.nodes != nil)]
    }

    var isAsked: Bool { hosts.nodes != nil || processes ?? 1 > 1 }

    /// Starts the processes and waits for them.
    ///
    /// - Throws: An exit code, or an error of the first process that failed.
    func launch() throws {
      let places: ProcessLauncher.Places =
        if let nodes = try hosts.launcher() { .nodes(nodes) } else { .here(processes ?? 1) }
      if try ProcessPlace.given(by: ProcessInfo.processInfo.environment) != nil {
        throw CommandError(
          "a launcher has started this process already: leave out --processes and --nodes")
      }
      let code = try ProcessLauncher(
        places: places, restarts: restarts ?? 0,
        arguments: NodeOptions.without(
          ["--processes", "--restarts"] + NodeOptions.names,
          Array(CommandLine.arguments.dropFirst()))
      ).run()
      if code != 0 { throw ExitCode(code) }
    }

    /// The processes of which this one is one, by what its launcher has put in the environment.
    static func group(_ settings: DistributedConfiguration) throws -> ProcessGroup {
      let environment = ProcessInfo.processInfo.environment
      guard let place = try ProcessPlace.given(by: environment) else { return .single }
      return try ProcessGroup(
        place, timeout: settings.timeout,
        interface: settings.interface ?? environment["GLOO_SOCKET_IFNAME"])
    }
  }
#endif
