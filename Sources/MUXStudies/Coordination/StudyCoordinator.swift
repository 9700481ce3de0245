// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworks
import MUXSearch
import Synchronization

/// Everything that happens to studies and trials, for any number of processes on one storage.
///
/// Each operation is one short transaction, and can be repeated without harm when it is not known
/// whether it took place. The algorithm lives in the storage too: whoever needs a new network takes in
/// the results that came since, asks for one, and adds that step to the algorithm together with the
/// new trial. So any process may be killed at any time. What takes long (measuring a network for a
/// limit, saving the algorithm's whole state) is done between transactions.
public final class StudyCoordinator: Sendable {
  /// Where studies and trials are kept.
  public let store: any StudyStore
  /// What happens while the storage does not answer.
  public let retry: RetryPolicy
  /// Measures networks where a study limits their latency or makes it small; nil where nothing does.
  public let latency: (any LatencyMeasure)?

  /// After how many steps the whole state of an algorithm at a revision is saved anew.
  let stepsBetweenStates: @Sendable (Int) -> Int
  /// The algorithms of studies as this process last knew them.
  let searches = Mutex<[Int: Search]>([:])

  /// Failures without a single success after which a study asks for no more networks.
  public static let failuresBeforeStop = 10

  /// The operations on a storage.
  public init(
    _ store: any StudyStore, retry: RetryPolicy = .none, latency: (any LatencyMeasure)? = nil
  ) {
    self.store = store
    self.retry = retry
    self.latency = latency
    stepsBetweenStates = Self.stepsBetweenStates
  }

  /// The same, with whole states of algorithms as often as a test wants them.
  package init(_ store: any StudyStore, stepsBetweenStates: @escaping @Sendable (Int) -> Int) {
    self.store = store
    retry = .none
    latency = nil
    self.stepsBetweenStates = stepsBetweenStates
  }

  // MARK: Studies

  /// Makes a study.
  ///
  /// - Parameters:
  ///   - name: The study's name, which no other has.
  ///   - definition: What is searched, and how.
  ///   - attributes: Anything else to keep with it.
  ///   - earlier: A study of the same space, whose results the new one begins with; nil for none.
  ///   - allowsUnreachableTargets: Whether targets may lie outside what the space reaches.
  /// - Throws: ``StudyError``, or `SearchError` for a definition that cannot be searched.
  @discardableResult
  public func create(
    _ name: String, _ definition: StudyDefinition, attributes: [String: String] = [:],
    continuing earlier: Study? = nil, allowsUnreachableTargets: Bool = false
  ) throws -> Study {
    try Self.checkName(name)
    try definition.limits.validate()
    if case .command(let line) = definition.evaluation, line.allSatisfy(\.isWhitespace) {
      throw StudyError.evaluation(
        reason: "the command that evaluates is empty; give one, such as 'python3 evaluate.py'")
    }
    let problem = try definition.problem()
    _ = try definition.decomposition()
    if let settings = definition.earlyStopping {
      _ = try ParetoHalving(
        objectives: definition.objectives, goal: definition.goal, settings: settings)
    }
    if case .targets(let targets) = definition.goal {
      try problem.check(targets)
      try problem.checkReach(of: targets)
      var lines = definition.networkDomain?.warnings(for: targets) ?? []
      if case .table(let name, _) = definition.space {
        lines = problem.warnings(for: targets, reachedBy: "the table '\(name)'")
      }
      if !allowsUnreachableTargets, !lines.isEmpty {
        throw StudyError.unreachableTarget(line: lines.joined(separator: "; "))
      }
    }
    var algorithm = try definition.algorithm.make(
      problem, goal: definition.goal, seed: definition.seed)
    let trials =
      try earlier.map { try inherited(from: $0, by: &algorithm, of: definition, problem) } ?? []
    let first = AlgorithmRecord(revision: 1, state: try algorithm.savedState())
    guard try canAsk(&algorithm, definition) else {
      throw StudyError.emptySpace(reason: emptiness(definition))
    }
    return try retry {
      try store.write { transaction in
        var study = Study(
          name: name, created: try transaction.now(), definition: definition,
          attributes: attributes)
        study.id = try transaction.insert(study)
        try transaction.save(first, of: study.id)
        for trial in trials { try transaction.insert(trial, into: study.id) }
        return study
      }
    }
  }

  /// Whether a new search has a first network, measured where its limits have to be.
  private func canAsk(
    _ algorithm: inout any SearchAlgorithm, _ definition: StudyDefinition
  ) throws -> Bool {
    var verdicts = LimitVerdicts()
    while true {
      switch algorithm.next(given: verdicts) {
      case .candidate: return true
      case .exhausted: return false
      case .unmeasured(let network):
        verdicts[network.key] = try keepsLimits(network, of: definition)
      }
    }
  }

  /// Whether a network keeps the limits that have to be measured. This takes as long as it takes.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` where nothing measures.
  func keepsLimits(_ network: UnmeasuredNetwork, of definition: StudyDefinition) throws -> Bool {
    guard let domain = definition.networkDomain, let most = domain.space.constraints.maximumLatency
    else { return true }
    guard let latency else {
      throw StudyError.evaluation(
        reason: "the study limits latency, and nothing measures it here; leave the limit out")
    }
    guard let architecture = try? domain.architecture(network.genome),
      let value = try? latency.milliseconds(architecture)
    else { return false }
    return value <= most
  }

  func emptiness(_ definition: StudyDefinition) -> String {
    if definition.grid != nil { return "the list has no networks" }
    guard case .networks(let space, _) = definition.space else {
      return definition.tableLimits == nil
        ? "the table has no rows" : "no network of the table keeps the limits"
    }
    var open = space
    open.constraints = NetworkSpace.Constraints()
    let domain = NetworkDomain(open)
    if let most = space.constraints.maximumLatency {
      return "no network was found that keeps the limits, among them \(most) ms for an image as"
        + " measured here; raise the limit on latency"
    }
    return "no network keeps the limits; '\(space.name)' begins at"
      + " \(Int(domain.reach(of: .params).lowerBound)) parameters and"
      + " \(Int(domain.reach(of: .madds).lowerBound)) multiply-adds"
  }

  static func checkName(_ name: String) throws {
    let reason: String? =
      name.isEmpty
      ? "it is empty"
      : name.count > 200
        ? "it has more than 200 characters"
        : name.contains(where: { $0.isNewline || $0 == "\0" || $0 == "/" }) || name.hasPrefix("-")
          ? "it must not have line breaks or '/', nor begin with '-'" : nil
    if let reason { throw StudyError.invalidName(name: name, reason: reason) }
  }

  /// All studies, the oldest first.
  ///
  /// - Throws: ``StudyError``.
  public func studies() throws -> [Study] {
    try retry { try store.read { try $0.studies() } }
  }

  /// All studies that can be read, the oldest first, and what is wrong with the others.
  ///
  /// - Throws: ``StudyError``, but for damage.
  public func survey() throws -> (studies: [Study], damage: [StudyError]) {
    try retry {
      try store.read { transaction in
        var found: (studies: [Study], damage: [StudyError]) = ([], [])
        for entry in try transaction.studyEntries() {
          do {
            if let study = try transaction.study(named: entry.name) { found.studies.append(study) }
          } catch let error as StudyError where error.isDamage {
            found.damage.append(error)
          }
        }
        return found
      }
    }
  }

  /// The entry of a name, also of a study that cannot be read, and how many trials it has.
  ///
  /// - Throws: ``StudyError/unknownStudy(name:nearest:count:)`` with the nearest names.
  public func entry(named name: String) throws -> (entry: StudyEntry, trials: Int) {
    try retry {
      try store.read { transaction in
        let all = try transaction.studyEntries()
        guard let entry = all.first(where: { $0.name == name }) else {
          throw Self.unknown(name, among: all)
        }
        return (entry, try transaction.counts(of: entry.id).values.reduce(0, +))
      }
    }
  }

  private static func unknown(_ name: String, among all: [StudyEntry]) -> StudyError {
    .unknownStudy(
      name: name, nearest: NameDistance.nearest(to: name, among: all.map(\.name)),
      count: all.count)
  }

  /// The study of a name; without a name the only one.
  ///
  /// - Throws: ``StudyError/unknownStudy(name:nearest:count:)`` with the nearest names, or
  ///   ``StudyError/unnamedStudy(names:)``.
  public func study(named name: String?) throws -> Study {
    try retry {
      try store.read { transaction in
        let all = try transaction.studyEntries()
        if name == nil, all.count != 1 { throw StudyError.unnamedStudy(names: all.map(\.name)) }
        let wanted = name ?? all[0].name
        guard let study = try transaction.study(named: wanted) else {
          throw Self.unknown(wanted, among: all)
        }
        return study
      }
    }
  }

  /// Removes a study with its trials. Workers that are on it notice with their next heart-beat.
  ///
  /// - Throws: ``StudyError``.
  public func delete(_ study: Study) throws {
    try delete(StudyEntry(id: study.id, name: study.name))
  }

  /// Removes a study of which no more than its entry may be known.
  ///
  /// - Throws: ``StudyError``.
  public func delete(_ entry: StudyEntry) throws {
    try retry { try store.write { try $0.delete(entry.id) } }
    searches.withLock { $0[entry.id] = nil }
  }

  /// Changes the limits of a study, such as how many networks it may ask for.
  ///
  /// - Throws: ``StudyError``, `SearchError`.
  public func setLimits(_ limits: StudyLimits, of study: Study) throws {
    try limits.validate()
    try write(study) { transaction, current in
      var changed = current
      changed.definition.limits = limits
      try transaction.update(changed)
    }
  }

  /// Sets attributes of a study; an empty text removes one.
  ///
  /// - Throws: ``StudyError``.
  public func setAttributes(_ attributes: [String: String], of study: Study) throws {
    try write(study) { transaction, current in
      var changed = current
      for (key, value) in attributes { changed.attributes[key] = value.isEmpty ? nil : value }
      try transaction.update(changed)
    }
  }

  // MARK: Masters

  /// Makes a process the one that drives the study, or prolongs that.
  ///
  /// - Throws: ``StudyError/masterActive(study:host:process:seconds:)``.
  public func acquireMaster(of study: Study, _ process: ProcessIdentity) throws {
    try write(study) { transaction, study in
      let now = try transaction.now()
      let length = study.definition.limits.lease
      // A lease that ends later than any could is from before the storage's clock was set back.
      if let master = study.master, master.holder != process, master.end > now,
        master.end.timeIntervalSince(now) <= length + 1, !master.holder.isKnownToBeDead
      {
        throw StudyError.masterActive(
          study: study.name, host: master.holder.host, process: master.holder.process,
          seconds: max(0, length - master.end.timeIntervalSince(now)))
      }
      var driven = study
      driven.master = MasterLease(holder: process, end: now.addingTimeInterval(length))
      try transaction.update(driven)
    }
  }

  /// Ends the drive of a process; nothing happens if it does not have it.
  ///
  /// - Throws: ``StudyError``.
  public func releaseMaster(of study: Study, _ process: ProcessIdentity) throws {
    try write(study) { transaction, study in
      guard study.master?.holder == process else { return }
      var idle = study
      idle.master = nil
      try transaction.update(idle)
    }
  }

  /// A transaction on a study that nobody else can change meanwhile.
  func write<Result>(
    _ study: Study, _ body: (any StudyTransaction, Study) throws -> Result
  ) throws -> Result {
    try retry {
      try store.write { transaction in
        guard let current = try transaction.lock(study.id) else {
          throw StudyError.unknownStudy(
            name: study.name, nearest: [], count: try transaction.studyEntries().count)
        }
        return try body(transaction, current)
      }
    }
  }
}
