// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXNetworkFiles
import MUXSearch
import MUXStudies

/// Puts networks of the user's own first in line.
struct SearchEnqueueCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue",
    abstract: "Queue networks of your own first: from the zoo, from files, from other studies.",
    discussion: """
      A network is a name of the zoo, a block-string file, a genome such as '[1,0,2]', or trials of \
      another study of the same storage as STUDY:NUMBER,NUMBER (STUDY:best for the best of its \
      targets). A network outside the study's space is refused, and the gene that does not fit is \
      named.

      EXAMPLES
        muxnet search enqueue mine muxnet_m muxnet_l
        muxnet search enqueue mine found/small.yaml
        muxnet search enqueue mine first:3,17 first:best
      """)

  @Argument(help: "The study's name.")
  var study: String

  @Argument(help: "The networks.")
  var networks: [String]

  @OptionGroup var storage: StorageOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let coordinator = try storage.coordinator(for: .write)
    let found = try coordinator.study(named: study)
    let genomes = try networks.flatMap { try self.genomes($0, for: found, coordinator) }
    let queued = try coordinator.enqueue(genomes, of: found)
    // One network may be the best of many targets.
    let known = Set(queued.known).sorted()
    if output.json { return try Console.json(["queued": [queued.count], "known": known]) }
    Console.result(queued.count == 1 ? "1 network is next" : "\(queued.count) networks are next")
    if !known.isEmpty {
      Console.note("trials already: \(known.map(String.init).joined(separator: ", "))")
    }
    let asked = try coordinator.store.read { try $0.totals(of: found.id).trials }
    let room = found.definition.limits.trials - asked
    if room < queued.count {
      Console.warning("the study has room for \(max(0, room)) more trials; raise --trials")
    }
  }

  private func genomes(
    _ text: String, for study: Study, _ coordinator: StudyCoordinator
  ) throws -> [Genome] {
    if text.hasPrefix("[") {
      guard let values = try? JSONDecoder().decode([Int].self, from: Data(text.utf8)) else {
        throw CommandError("'\(text)' is not a genome; write whole numbers, such as [1,0,2]")
      }
      return [Genome(values)]
    }
    let isFile = FileManager.default.fileExists(atPath: text)
    if !isFile, let colon = text.lastIndex(of: ":"), !text.contains("/") {
      return try trials(
        String(text[text.index(after: colon)...]), of: String(text[..<colon]), for: study,
        coordinator)
    }
    if study.definition.grid != nil {
      throw CommandError(
        "study '\(study.name)' is a list, and all of it is trained anyway; make another with more networks"
      )
    }
    guard let domain = study.definition.networkDomain else {
      throw CommandError(
        "study '\(study.name)' is of a table; give its networks as genomes, such as [1,0,2]")
    }
    var architecture = try NetworkFile.architecture(text)
    // The space says how many classes its networks have, whatever a network was made for.
    architecture.classes = domain.space.classes
    architecture.dropoutRate = domain.space.dropoutRate
    architecture.inputSize = .init(domain.space.inputSize)
    return [try domain.encode(architecture)]
  }

  private func trials(
    _ numbers: String, of name: String, for study: Study, _ coordinator: StudyCoordinator
  ) throws -> [Genome] {
    let other = try coordinator.study(named: name)
    try coordinator.checkSameSpace(other, as: study)
    if numbers == "best" {
      return try coordinator.standings(of: other).best.map(\.trial.genome)
    }
    return try numbers.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let number = Int(text) else {
        throw CommandError("'\(text)' is not a trial number; write numbers as in \(name):3,17")
      }
      let (trial, count) = try coordinator.store.read {
        (try $0.trial(number, of: other.id), try $0.totals(of: other.id).trials)
      }
      guard let trial else {
        throw StudyError.unknownTrial(study: name, number: number, count: count)
      }
      return trial.genome
    }
  }
}
