// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXConfiguration
import MUXCore
import MUXStudies

/// Works on the trials of studies.
struct SearchWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker",
    abstract:
      "Evaluate the trials of a study, or of all studies of a storage, until they are done.",
    discussion: """
      Any number of workers, on one machine or (with PostgreSQL) on many, may share a study. The \
      trial of a killed worker goes to another one after --lease seconds; Ctrl-C returns it at once.

      A study that evaluates by a command keeps that command in the storage: anyone who can write to \
      the storage can run programs as the user of this worker. With --evaluate the worker runs your \
      own command instead, and takes none from the storage.

      With --nodes workers are started on the hosts of a file, as many on each as it has slots, and \
      end with this command. All workers of a study must have the same version: a worker of another \
      version is refused while others work on it, and takes over when nobody does.

      EXAMPLES
        muxnet search worker --storage postgresql://me@host/studies
        muxnet search worker digits --storage postgresql://me@host/studies --nodes hosts
        muxnet search worker digits --storage sqlite:///studies.db
        muxnet search worker mine --evaluate 'python3 evaluate.py'
      """)

  @Argument(help: "The study's name; without one, all studies of the storage in turn.")
  var study: String?

  @Option(help: "Seconds to wait for a storage that does not answer.")
  var patience = 300.0

  @Option(
    help: ArgumentHelp(
      "The command that evaluates, instead of the study's own.", valueName: "command"))
  var evaluate: String?

  @Flag(
    help:
      "Give evaluation commands the address of the storage, as MUXNET_STORAGE, and its password.")
  var shareStorage = false

  @Option(
    help: "Seconds that an evaluation past its time limit gets to end before the worker restarts.")
  var grace = 10.0

  @Flag(name: [.short, .long], help: "Only warnings and errors.")
  var quiet = false

  @OptionGroup var hosts: NodeOptions
  @OptionGroup var storage: StorageOptions

  func validate() throws {
    if let evaluate, evaluate.allSatisfy(\.isWhitespace) {
      throw ValidationError("--evaluate is empty; give a command, such as 'python3 evaluate.py'")
    }
  }

  func run() throws {
    // What is wrong with the file of hosts shows before any storage is waited for.
    let nodes = try hosts.launcher()
    // Pipes and logs of child processes among them.
    try OpenFiles.require(20)
    StopRequest.watch()
    // A worker of a search that was killed is asked to end by its guard; the next search starts its
    // own.
    let shouldStop: @Sendable () -> Bool = { StopRequest.signal != nil }
    var retry = RetryPolicy(patience: patience) { Console.warning($0) }
    retry.isCancelled = shouldStop
    let url = try storage.url()
    let store = try retry { try StudyStorage.open(url, for: .write) }
    let coordinator = StudyCoordinator(store, retry: retry, latency: RuntimeLatency())
    let studies = try studies(coordinator)
    if shareStorage, !quiet, studies.count == 1,
      let line = SearchRunCommand.uselessSharing(of: studies[0])
    {
      Console.warning(line)
    }
    if let nodes { return try start(nodes, url) }
    let worker = StudyWorker(
      coordinator, observer: { show($0) },
      makeEvaluator: {
        try StudyEvaluators.make(
          $0, command: evaluate, passing: shareStorage ? url : nil)
      })
    worker.grace = grace
    worker.version = MUXNetVersion.current
    if !quiet {
      Console.note(
        "worker \(worker.identity), muxnet \(MUXNetVersion.current), "
          + (study.map { "of study '\($0)'" } ?? "of all studies"))
    }
    switch try worker.run(studies, shouldStop: shouldStop) {
    case .done: return
    case .stopped: throw ExitCode(128 + (StopRequest.signal ?? SIGTERM))
    case .hung: try beginAnew()
    }
  }

  /// Starts workers on other hosts, and waits for them.
  private func start(_ nodes: NodeLauncher, _ url: StorageURL) throws {
    if case .sqlite = url.kind, !nodes.file.isLocal {
      throw CommandError(
        "a SQLite file is for one machine: keep studies in PostgreSQL for workers on several hosts"
      )
    }
    let words = NodeOptions.without(
      NodeOptions.names + ["--storage"], Array(CommandLine.arguments.dropFirst()))
    // By way of the input, since lists of processes show the words.
    let members = try nodes.start(
      words.filter { $0 != "--ask-password" } + ["--storage-from-input"], isTogether: false,
      input: url.textWithSecrets, environment: [:])
    var forwarded = false
    while members.contains(where: { $0.poll() == nil }) {
      if let signal = StopRequest.signal, !forwarded {
        forwarded = true
        for member in members { member.send(signal) }
      }
      usleep(20_000)
    }
    if let signal = StopRequest.signal { throw ExitCode(128 + signal) }
    for member in members where member.poll() == .exit(code: LaunchedEnding.noNode) {
      Console.warning("\(member.name) \(LaunchedEnding.noNodeText)")
    }
    let failed = members.filter { $0.poll() != .exit(code: 0) }.map(\.name)
    if !failed.isEmpty {
      throw CommandError(
        "workers failed on \(failed.joined(separator: ", ")); their last output is above")
    }
  }

  /// The named study; without a name all of the storage that can be read.
  private func studies(_ coordinator: StudyCoordinator) throws -> [Study] {
    if let study { return [try coordinator.study(named: study)] }
    let (studies, damage) = try coordinator.survey()
    guard !studies.isEmpty else { throw damage.first ?? StudyError.unnamedStudy(names: []) }
    for error in damage { Console.warning("\(error)") }
    return studies
  }

  private func show(_ event: StudyWorker.Event) {
    switch event {
    case .began(let trial):
      if !quiet { Console.note("trial \(trial.number), attempt \(trial.attempt)") }
    case .ended(let trial, .failed(let reason)):
      if !quiet { Console.note("trial \(trial.number) failed: \(reason)") }
    case .ended(let trial, .complete(let objectives, _)),
      .ended(let trial, .pruned(let objectives, _)):
      if !quiet {
        let values = objectives.map(StudyText.natural).joined(separator: ", ")
        Console.note("trial \(trial.number): \(values)")
      }
    case .notice(let text): Console.warning(text)
    }
  }

  /// Replaces this process, of which a thread hangs, by a fresh one with the same arguments.
  private func beginAnew() throws {
    if !quiet { Console.note("an evaluation hangs; restarting in a new process") }
    var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
    execv(StopRequest.program.path, &arguments)
    throw CommandError("cannot restart: \(String(cString: strerror(errno)))")
  }
}
