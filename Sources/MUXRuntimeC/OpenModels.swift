// SPDX-License-Identifier: Apache-2.0
internal import MUXRuntime
internal import Synchronization

/// A model that other languages have opened: its plan, and the engines that no call uses now.
final class OpenModel: Sendable {
  let plan: InferencePlan
  private let threads: Int
  private let free: Mutex<[Handed]>

  /// An engine on its way from one caller to another; nobody else has it meanwhile.
  ///
  /// Unchecked because engines are for one caller at a time, which the list of free ones sees to.
  private struct Handed: @unchecked Sendable {
    let engine: InferenceEngine
  }

  init(_ path: String, threads: Int) throws {
    plan = try InferencePlan(model: path)
    self.threads = threads
    // The first is made at once, so that a number of threads that cannot be had is an error here.
    free = Mutex([Handed(engine: try InferenceEngine(plan, threads: threads))])
  }

  /// Does something with an engine that no other call uses; makes one where all are used.
  func withEngine<Value>(_ body: (InferenceEngine) throws -> Value) throws -> Value {
    let handed =
      try free.withLock { $0.popLast() } ?? Handed(engine: InferenceEngine(plan, threads: threads))
    defer { free.withLock { $0.append(handed) } }
    return try body(handed.engine)
  }
}

/// All open models, by number. A number that was closed is found to be so, whatever came after it.
enum OpenModels {
  private struct State {
    var models: [UInt64: OpenModel] = [:]
    var last: UInt64 = 0
  }

  private static let state = Mutex(State())

  static func add(_ model: OpenModel) -> UInt64 {
    state.withLock { state in
      state.last += 1
      state.models[state.last] = model
      return state.last
    }
  }

  static subscript(_ number: UInt64) -> OpenModel? { state.withLock { $0.models[number] } }

  /// Takes a model out; the memory goes with its last call.
  static func remove(_ number: UInt64) -> OpenModel? {
    state.withLock { $0.models.removeValue(forKey: number) }
  }
}
