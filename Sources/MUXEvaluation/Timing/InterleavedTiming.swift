// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Times several things in turns, so that a busy machine disturbs all of them alike.
public enum InterleavedTiming {
  /// Something to time.
  public struct Subject {
    /// How often it runs in a turn.
    public var repetitions: Int
    /// Called before each turn, not timed.
    public var prepare: () throws -> Void
    /// What is run and timed; it throws to end all timing.
    public var body: () throws -> Void

    /// A subject.
    public init(
      repetitions: Int = 1, prepare: @escaping () throws -> Void = {},
      body: @escaping () throws -> Void
    ) {
      self.repetitions = repetitions
      self.prepare = prepare
      self.body = body
    }
  }

  /// Runs the subjects in turns.
  ///
  /// - Parameters:
  ///   - subjects: What is timed.
  ///   - warmUp: Runs of each subject before the first turn, not timed.
  ///   - rounds: Turns of each subject.
  ///   - progress: Told of each round that is done.
  /// - Returns: The times of each subject's runs.
  public static func run(
    _ subjects: [Subject], warmUp: Int, rounds: Int, progress: (Int) -> Void = { _ in }
  ) throws -> [RunTimes] {
    let clock = ContinuousClock()
    for subject in subjects {
      try subject.prepare()
      for _ in 0..<warmUp { try subject.body() }
    }
    var seconds = Array(repeating: [Double](), count: subjects.count)
    for round in 0..<rounds {
      for (index, subject) in subjects.enumerated() {
        try subject.prepare()
        for _ in 0..<subject.repetitions {
          let start = clock.now
          try subject.body()
          seconds[index].append(Seconds.since(start))
        }
      }
      progress(round + 1)
    }
    return seconds.map(RunTimes.init)
  }
}
