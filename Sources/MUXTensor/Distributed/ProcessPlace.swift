// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Where a process stands among those that work together, and where they find each other.
public struct ProcessPlace: Hashable, Sendable {
  /// Its number, from 0.
  public var rank: Int
  /// The number of processes of all machines together.
  public var size: Int
  /// Its number among those of its machine.
  public var localRank: Int
  /// How many there are on its machine.
  public var localSize: Int
  /// The machine that serves the store of keys.
  public var host: String
  /// The store's port.
  public var port: Int
  /// Whether the launcher serves the store; process 0 does otherwise.
  public var launcherServes: Bool
  /// How often the launcher has started all anew.
  public var restarts: Int
  /// What is the same in all attempts of a launch and in no other; nil where the launcher has no such thing.
  public var launch: String?

  /// A place.
  ///
  /// - Parameters:
  ///   - rank: Its number, from 0.
  ///   - size: How many there are.
  ///   - host: The machine that serves the store.
  ///   - port: The store's port.
  ///   - launcherServes: Whether the launcher serves it.
  public init(rank: Int, size: Int, host: String, port: Int, launcherServes: Bool = false) {
    self.rank = rank
    self.size = size
    self.host = host
    self.port = port
    self.launcherServes = launcherServes
    localRank = rank
    localSize = size
    restarts = 0
  }

  /// Whether all processes are on one machine.
  public var isLocal: Bool { localSize == size }

  /// The place that a launcher has given to this process in its environment: those of torchrun (`RANK`,
  /// `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR`, `MASTER_PORT`, …), or the numbers of a step of Slurm or of
  /// mpirun beside `MASTER_ADDR`.
  ///
  /// - Parameter environment: All variables.
  /// - Returns: nil for a process that works alone.
  /// - Throws: ``ProcessGroupError/place(variable:value:needed:)`` where a launcher said too little.
  public static func given(
    by environment: [String: String]
  ) throws(ProcessGroupError) -> ProcessPlace? {
    guard let names = Names.all.first(where: { environment[$0.size] != nil }) else { return nil }
    func number(_ name: String, in range: ClosedRange<Int>) throws(ProcessGroupError) -> Int {
      guard let text = environment[name], let value = Int(text), range.contains(value) else {
        throw .place(
          variable: name, value: environment[name],
          needed: "a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    let size = try number(names.size, in: 1...1_000_000)
    guard size > 1 else { return nil }
    guard let host = environment["MASTER_ADDR"], !host.isEmpty else {
      throw .place(
        variable: "MASTER_ADDR", value: nil, needed: "the name of the machine of process 0")
    }
    let port =
      environment["MASTER_PORT"] == nil && names.hasUsualPort
      ? 29_500 : try number("MASTER_PORT", in: 1...65_535)
    var place = ProcessPlace(
      rank: try number(names.rank, in: 0...size - 1), size: size, host: host, port: port,
      launcherServes: environment["TORCHELASTIC_USE_AGENT_STORE"] == "True")
    if let name = names.localSize, environment[name] != nil {
      place.localSize = try number(name, in: 1...size)
    } else {
      place.localSize = 1
    }
    place.localRank =
      environment[names.localRank] == nil
      ? 0 : try number(names.localRank, in: 0...max(size - 1, 0))
    place.restarts =
      environment["TORCHELASTIC_RESTART_COUNT"] == nil
      ? 0 : try number("TORCHELASTIC_RESTART_COUNT", in: 0...1_000_000)
    if place.launcherServes {
      let run = environment["TORCHELASTIC_RUN_ID"] ?? "none"
      // torchrun has one name for all runs that were given none; then its own process is the name.
      place.launch = run == "none" ? "process \(getppid())" : run
    }
    return place
  }

  /// The variables of a launcher.
  private struct Names {
    var rank: String
    var size: String
    var localRank: String
    var localSize: String?
    var hasUsualPort = true

    static let all = [
      Names(
        rank: "RANK", size: "WORLD_SIZE", localRank: "LOCAL_RANK", localSize: "LOCAL_WORLD_SIZE",
        hasUsualPort: false),
      Names(
        rank: "OMPI_COMM_WORLD_RANK", size: "OMPI_COMM_WORLD_SIZE",
        localRank: "OMPI_COMM_WORLD_LOCAL_RANK", localSize: "OMPI_COMM_WORLD_LOCAL_SIZE"),
      Names(
        rank: "PMI_RANK", size: "PMI_SIZE", localRank: "MPI_LOCALRANKID",
        localSize: "MPI_LOCALNRANKS"),
      // Only of a step of srun: a script of sbatch has Slurm's other variables, and works alone.
      Names(
        rank: "SLURM_PROCID", size: "SLURM_STEP_NUM_TASKS", localRank: "SLURM_LOCALID",
        localSize: nil),
    ]
  }
}
