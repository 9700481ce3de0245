// SPDX-License-Identifier: Apache-2.0
import MUXNetworkFiles
public import MUXNetworks
public import MUXSearch

/// A fixed list of networks instead of a search: each is trained with each of some seeds.
///
/// Seeds count slowest, so that every network has a result before any has two, and what is there can be
/// compared in pairs.
public struct StudyGrid: Sendable, Hashable, Codable {
  /// A network of the list.
  public struct Entry: Sendable, Hashable, Codable {
    /// What it is called in the list.
    public var name: String
    /// Settings of its training over those of the study, each as `path=value`.
    public var settings: [String]
    /// Its block strings, as the text of a file; nil where the settings name a network of the zoo.
    public var architecture: String?
    /// Its parameters and multiply-adds by the names of the objectives.
    public var costs: [String: Double]
    /// Why it cannot be trained, for one whose trials fail; the others go on.
    public var defect: String?

    /// A network.
    public init(
      _ name: String, settings: [String] = [], architecture: String? = nil,
      costs: [String: Double] = [:], defect: String? = nil
    ) {
      self.name = name
      self.settings = settings
      self.architecture = architecture
      self.costs = costs
      self.defect = defect
    }

    /// Two are the same where their block strings say the same: versions of this program write numbers in
    /// different forms.
    public static func == (one: Entry, other: Entry) -> Bool {
      guard
        one.name == other.name, one.settings == other.settings, one.costs == other.costs,
        one.defect == other.defect
      else { return false }
      if one.architecture == other.architecture { return true }
      guard let own = try? one.parsed(), let others = try? other.parsed() else { return false }
      return own == others
    }

    /// The name and the settings, which same entries have the same of.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(name)
      hasher.combine(settings)
    }

    /// The block strings, where it has any of its own.
    ///
    /// - Throws: `NetworkError` that names the network.
    public func parsed() throws -> Architecture? {
      guard let architecture else { return nil }
      guard case .architecture(let found) = try NetworkFile.parse(architecture, path: name) else {
        throw StudyError.evaluation(
          reason: "network '\(name)' has no block strings; give a name of the zoo or such a file")
      }
      return found
    }
  }

  /// What is trained, each with every seed.
  public var networks: [Entry]
  /// The seeds, from which the weights and the order of the images follow.
  public var seeds: [UInt64]

  /// A list.
  public init(networks: [Entry], seeds: [UInt64]) {
    self.networks = networks
    self.seeds = seeds
  }

  /// The most trainings of a list.
  static let mostTrials = 100_000

  /// How many trainings there are.
  public var count: Int { networks.count * seeds.count }

  /// What is wrong with the list, in words; nil if it can be worked on.
  public var defect: String? {
    if networks.isEmpty { return "it has no networks" }
    if seeds.isEmpty { return "it has no seeds" }
    if networks.count > Self.mostTrials || seeds.count > Self.mostTrials
      || count > Self.mostTrials
    {
      return "it has more than \(Self.mostTrials) trainings"
    }
    if networks.contains(where: { $0.name.allSatisfy(\.isWhitespace) }) {
      return "a network has an empty name"
    }
    var names: Set<String> = []
    for entry in networks where !names.insert(entry.name).inserted {
      return "two networks are called '\(entry.name)'"
    }
    if Set(seeds).count < seeds.count { return "a seed stands in it twice" }
    for entry in networks where entry.costs.contains(where: { !$1.isFinite || $1 < 0 }) {
      return "a cost of network '\(entry.name)' cannot be"
    }
    return nil
  }

  /// The place of a network and a seed in the list.
  var genes: [Gene] {
    [
      Gene("seed", choices: seeds.count, isOrdered: false),
      Gene("network", choices: networks.count, isOrdered: false),
    ]
  }

  /// What the choices of the two genes are called.
  package var choices: [(name: String, choices: [String])] {
    [("seed", seeds.map { "\($0)" }), ("network", networks.map(\.name))]
  }

  /// The network and the seed of a trial; nil for a genome of something else.
  public func point(of genome: Genome) -> (network: Entry, seed: UInt64)? {
    guard genome.values.count == 2, seeds.indices.contains(genome[0]),
      networks.indices.contains(genome[1])
    else { return nil }
    return (networks[genome[1]], seeds[genome[0]])
  }
}

/// A list as a space: every place in it is a point of its own.
struct GridDomain: SearchDomain {
  let grid: StudyGrid
  let objectives: [Objective]

  var genes: [Gene] { grid.genes }

  /// The costs, which are known of every network that can be made.
  func knownObjectives(of canonical: Genome) -> [Double]? {
    guard let entry = grid.point(of: canonical)?.network else { return nil }
    return objectives.map { entry.costs[$0.name] ?? .nan }
  }
}
