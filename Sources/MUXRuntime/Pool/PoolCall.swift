// SPDX-License-Identifier: Apache-2.0
internal import MUXCore
internal import Synchronization

/// A call that waits in a pool for an engine.
struct PoolCall: Sendable {
  enum Work: Sendable {
    /// An image, which may share a run with others.
    case image(ImageWork)
    /// Something that has an engine for itself.
    case engine(@Sendable (InferenceEngine) -> Void)
  }

  /// What is to be computed for an image.
  struct ImageWork: Sendable {
    var reading: InferenceEngine.Reading
    /// Writes the image to where it is computed, and gives the size that it had.
    var prepare: @Sendable (UnsafeMutableBufferPointer<Float>) throws -> ImageSize
    /// Makes something of the numbers and hands it to the caller.
    var finish: @Sendable (Result<PoolCall.Numbers, any Error>) -> Void
  }

  /// What came of an image.
  struct Numbers: Sendable {
    var values: [Float]
    /// The size that the image had before it was prepared.
    var original: ImageSize
  }

  var work: Work
  /// Ends the call without computing anything.
  var refuse: @Sendable (any Error) -> Void
  var arrival = ContinuousClock.now

  /// What of it can share a run with calls of the same kind; nil for what has an engine for itself.
  var shared: InferenceEngine.Reading? {
    if case .image(let work) = work { work.reading } else { nil }
  }
}

/// Tells a call that waits from one that was cancelled before it came to wait.
final class PoolTicket: Sendable {
  enum State: Hashable, Sendable {
    case new
    case waiting(number: Int)
    case cancelled
  }

  private let state = Mutex(State.new)

  /// Notes under which number the call waits; false if it was cancelled before.
  func enter(number: Int) -> Bool {
    state.withLock { state in
      guard state != .cancelled else { return false }
      state = .waiting(number: number)
      return true
    }
  }

  /// Notes that the caller is not interested any more; gives the number of a call that may be waiting.
  func cancel() -> Int? {
    state.withLock { state in
      if case .waiting(let number) = state { return number }
      state = .cancelled
      return nil
    }
  }
}
