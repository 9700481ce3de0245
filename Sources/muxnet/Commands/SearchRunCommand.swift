// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXStudies

/// Drives a study with workers of its own.
struct SearchRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a search: create a study, or continue one, with several worker processes.",
    discussion: """
      With --space or --table the study is created if it does not exist; without them, an existing \
      one continues. Everything is kept in the storage: after Ctrl-C, a crash or kill -9 the same \
      command continues where it was. --trials may be raised later. More workers, also on other \
      machines, join with muxnet search worker.

      EXAMPLES
        muxnet search run digits --space digits --recipe digits_search --trials 60 \\
          --budget small:params=5k,madds=100k --budget large:params=40k,madds=800k
        muxnet search run digits --workers 4 --trials 200
        muxnet search run mine --space small --evaluate 'python3 evaluate.py' --timeout 600
      """)

  @Argument(help: "The study's name; may be left out where the storage has one study only.")
  var study: String?

  @OptionGroup var options: StudyOptions

  @Option(help: "Worker processes.")
  var workers = max(1, min(ProcessInfo.processInfo.activeProcessorCount, 16))

  @Option(help: "Stop after this many minutes; the study can continue later.")
  var timeBudget: Double?

  @Option(help: "Seconds to wait for a storage that does not answer.")
  var patience = 300.0

  @Flag(
    help:
      "Give evaluation commands the address of the storage, as MUXNET_STORAGE, and its password.")
  var shareStorage = false

  @Flag(name: [.short, .long], help: "No progress, only warnings and errors.")
  var quiet = false

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    if workers < 1 { throw ValidationError("--workers must be at least 1, not \(workers)") }
    // Each is a process; more of them would only take the memory and the turns from each other.
    let most = max(64, 4 * ProcessInfo.processInfo.activeProcessorCount)
    if workers > most {
      throw ValidationError(
        "--workers must be at most \(most) on this machine, not \(workers); more may join from"
          + " others with muxnet search worker")
    }
    if let timeBudget, !(timeBudget > 0) {
      throw ValidationError("--time-budget must be above 0 minutes, not \(timeBudget)")
    }
    if study == nil, options.describesStudy {
      throw ValidationError("a new study needs a name: muxnet search run NAME …")
    }
  }

  func run() throws {
    // Pipes and logs of child processes among them.
    try OpenFiles.require(20)
    StopRequest.watch()
    let coordinator = try storage.coordinator(
      for: options.describesStudy ? .create : .write, patience: patience)
    let study = try prepare(coordinator)
    if shareStorage, let line = Self.uselessSharing(of: study) { Console.warning(line) }
    let ending = try ShownStudy.drive(
      study, coordinator,
      options: .init(workers: workers, timeBudget: timeBudget.map { $0 * 60 }), quiet: quiet
    ) {
      try Self.launchWorker(study, storage.url(), patience: patience, sharesStorage: shareStorage)
    }
    // Without its trials it would look like one whose space has no more networks.
    guard try coordinator.survey().studies.contains(where: { $0.id == study.id }) else {
      throw CommandError("study '\(study.name)' was deleted while it was searched")
    }
    let standings = try coordinator.standings(of: study)
    if output.json {
      try Console.json(try StudyRecorder(standings.study.definition).record(standings))
    }
    if ending != .done {
      Console.note("go on with: muxnet search run \(ShellWord.quoted(study.name))\(storageHint)")
    }
    if ending == .stopped { throw ExitCode(128 + (StopRequest.signal ?? SIGINT)) }
    let left = study.definition.limits.trials - standings.counts.values.reduce(0, +)
    if ending == .done, left > 0 {
      Console.note(
        "the space has no more networks: all within its limits have been tried, \(left) trials"
          + " fewer than asked for")
    }
    if standings.completed.isEmpty, ending == .done {
      throw CommandError(
        "no trial of study '\(study.name)' has a result; see muxnet search show"
          + (standings.lastReason.map { ". The last one failed with: \($0)" } ?? ""))
    }
  }

  private var storageHint: String {
    (try? storage.storage.map { " --storage \(try StorageURL($0))" }) ?? ""
  }

  /// Makes the study, or finds it and raises its limits.
  private func prepare(_ coordinator: StudyCoordinator) throws -> Study {
    guard options.describesStudy, let name = study else {
      let found = try coordinator.study(named: study)
      try checkSettings(of: found)
      return try withLimits(found, coordinator)
    }
    let definition = try options.definition()
    do {
      return try coordinator.create(
        name, definition, attributes: options.attributes,
        allowsUnreachableTargets: options.allowOutside)
    } catch StudyError.studyExists {
      let found = try coordinator.study(named: name)
      try checkSettings(of: found)
      return try withLimits(found, coordinator)
    }
  }

  private func withLimits(_ found: Study, _ coordinator: StudyCoordinator) throws -> Study {
    let limits = options.limits(over: found.definition.limits)
    if limits != found.definition.limits { try coordinator.setLimits(limits, of: found) }
    return try coordinator.study(named: found.name)
  }

  /// What to say where only commands would get the address of the storage, and there are none.
  static func uselessSharing(of study: Study) -> String? {
    if case .command = study.definition.evaluation { return nil }
    return
      "study '\(study.name)' evaluates by \(study.definition.evaluation.name), not by a command:"
      + " --share-storage does nothing"
  }

  /// Starts a worker process on a study.
  static func launchWorker(
    _ study: Study, _ url: StorageURL, patience: Double, sharesStorage: Bool = false
  ) throws -> WorkerProcess {
    var environment = ProcessInfo.processInfo.environment
    environment["MUXNET_STORAGE"] = nil
    // Threads of OpenMP that spin while they wait would take the cores from other workers.
    environment["OMP_WAIT_POLICY"] = environment["OMP_WAIT_POLICY"] ?? "passive"
    return try WorkerProcess(
      StopRequest.program,
      [
        "search", "worker", study.name, "--storage-from-input", "--patience", "\(patience)",
        "--quiet",
      ] + (sharesStorage ? ["--share-storage"] : []), environment: environment,
      // Neither among the arguments nor the variables, which others can see: the address may hold
      // a password.
      input: Data(url.textWithSecrets.utf8))
  }
}
