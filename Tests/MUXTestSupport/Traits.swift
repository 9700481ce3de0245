// SPDX-License-Identifier: Apache-2.0
public import Testing

extension Tag {
  /// Takes seconds in a release build.
  @Tag public static var slow: Self
  /// Starts processes, as a rule the built program.
  @Tag public static var processes: Self
  /// Threads, processes or servers wait for one another.
  @Tag public static var waits: Self
}

extension Trait where Self == TimeLimitTrait {
  /// For suites that start processes or wait: what hangs fails, instead of lasting for ever.
  ///
  /// The clock of a test runs while it waits for a thread, behind all others: the limit is far above what
  /// all tests take on a busy machine, and below what `.ci/run` may take. Debug builds may run under a
  /// sanitizer. It measures nothing.
  public static var endsSometime: Self {
    #if DEBUG
      .timeLimit(.minutes(60 * Repeats.factor))
    #else
      .timeLimit(.minutes(15 * Repeats.factor))
    #endif
  }
}
