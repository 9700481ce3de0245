// SPDX-License-Identifier: Apache-2.0
import Dispatch
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTasks
import MUXTestSupport
import Synchronization
import Testing

/// A pool whose only engine is at work until it is told to go on, so that calls have to wait.
private struct HeldPool {
  let pool: EnginePool
  private let gate = DispatchSemaphore(value: 0)
  private let holder: Task<Void, any Error>

  init(
    _ plan: InferencePlan, batching: EnginePool.Batching = .none, waitingLimit: Int? = nil,
    threads: Int = 2
  ) async throws {
    let pool = try EnginePool(
      plan, size: 1, threadsPerEngine: threads, batching: batching, waitingLimit: waitingLimit)
    self.pool = pool
    let gate = gate
    // The pool's thread waits, none of the tasks'.
    holder = Task { try await pool.withEngine { _ in gate.wait() } }
    await until { pool.counts.computing == 1 }
  }

  /// Lets the engine go on.
  func release() async throws {
    gate.signal()
    try await holder.value
  }

  /// Starts a call and waits until it waits.
  func waiting<Value: Sendable>(
    _ body: @escaping @Sendable (EnginePool) async throws -> Value
  ) async -> Task<Value, any Error> {
    let before = pool.counts.waiting
    let task = Task { [pool] in try await body(pool) }
    await until { pool.counts.waiting == before + 1 }
    return task
  }
}

/// Waits for a condition; what never comes ends with the suite's limit.
private func until(_ condition: () -> Bool) async {
  while !condition() { await Task.yield() }
}

@Suite("Calls of pools", .tags(.waits), .endsSometime)
struct PoolCallTests {
  private static func plan(classes: Int = 5) throws -> InferencePlan {
    var builder = NetworkBuilder(name: "small", inputSize: ImageSize(16))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2, hasBias: true)
    x = builder.activation(x, "act", .relu)
    _ = builder.classify(x, classes: classes)
    let network = try builder.build()
    return try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
  }

  private static func image(_ number: Int) -> Image {
    Image(
      width: 16 + number % 7, height: 20,
      color: [UInt8(number * 37 % 256), UInt8(number * 11 % 256), UInt8(number * 5 % 256)])
  }

  private struct Unreadable: Error, Equatable {}

  @Test("Images that wait share runs, and each gets what it gets alone", arguments: [1, 3])
  func batches(threads: Int) async throws {
    let plan = try Self.plan()
    let engine = try InferenceEngine(plan)
    let held = try await HeldPool(plan, batching: .init(images: 4), threads: threads)
    var calls: [Task<[Prediction.Guess], any Error>] = []
    for number in 0..<9 {
      calls.append(await held.waiting { try await $0.classify(Self.image(number)) })
    }
    try await held.release()
    for (number, call) in calls.enumerated() {
      #expect(try await call.value == engine.classify(Self.image(number)))
    }
    // The one that held the engine, and 4 + 4 + 1.
    #expect(held.pool.counts.runs == 4 && held.pool.counts.finished == 10)
    #expect(held.pool.counts.waiting == 0 && held.pool.counts.computing == 0)
  }

  @Test("An image that cannot be made, prepared or computed fails alone")
  func failures() async throws {
    let plan = try Self.plan()
    let engine = try InferenceEngine(plan)
    let held = try await HeldPool(plan, batching: .init(images: 8))
    let unreadable = await held.waiting { pool in
      try await pool.classify { throw Unreadable() }
    }
    let infinite = await held.waiting {
      try await $0.run(pixels(3 * 16 * 16, seed: 1).map { _ in .infinity })
    }
    var sound: [Task<[Prediction.Guess], any Error>] = []
    let images = [
      Image(width: 1, height: 1, color: [7]), Image(width: 1, height: 4000, color: [9, 8, 7]),
      Image(width: 3000, height: 2, color: [200]), Self.image(3),
    ]
    for image in images { sound.append(await held.waiting { try await $0.classify(image) }) }
    try await held.release()
    await #expect(throws: Unreadable()) { try await unreadable.value }
    await #expect(throws: RuntimeError.notFinite) { try await infinite.value }
    for (image, call) in zip(images, sound) {
      #expect(try await call.value == engine.classify(image))
    }
    #expect(held.pool.counts.runs == 2 && held.pool.counts.failed == 2)
    await #expect(throws: RuntimeError.self) { try await held.pool.run([1]) }
    await #expect(throws: RuntimeError.guessCount(-1)) {
      try await held.pool.classify(Self.image(1), top: -1)
    }
  }

  @Test("Features and outputs are not mixed, and callers keep their order")
  func kinds() async throws {
    let plan = try Self.plan()
    let engine = try InferenceEngine(plan)
    let held = try await HeldPool(plan, batching: .init(images: 8))
    let first = await held.waiting { try await $0.classify(Self.image(1)) }
    let features = await held.waiting { try await $0.features(of: Self.image(2)) }
    let more = await held.waiting { try await $0.features { Self.image(4) } }
    let alone = await held.waiting { pool in try await pool.withEngine { $0.threads } }
    let last = await held.waiting { try await $0.classify([Self.image(3), Self.image(5)]) }
    try await held.release()
    #expect(try await first.value == engine.classify(Self.image(1)))
    #expect(try await features.value == engine.features(of: Self.image(2)))
    #expect(try await more.value == engine.features(of: Self.image(4)))
    #expect(try await alone.value == 2)
    #expect(try await last.value == engine.classify([Self.image(3), Self.image(5)]))
    #expect(held.pool.counts.runs == 5)
  }

  @Test(
    "A batch that is full does not wait for its time; one that is not goes at its time, or at the end"
  )
  func delays() async throws {
    let plan = try Self.plan()
    let patient = try EnginePool(
      plan, size: 2, batching: .init(images: 2, delay: .seconds(60)))
    async let one = patient.classify(Self.image(1))
    async let two = patient.classify(Self.image(2))
    _ = try await (one, two)
    #expect(patient.counts.runs == 1)
    let left = Task { try await patient.classify(Self.image(1)) }
    await until { patient.counts.waiting == 1 }
    await patient.shutDown()
    #expect(try await left.value == InferenceEngine(plan).classify(Self.image(1)))
    let short = try EnginePool(
      plan, size: 3, batching: .init(images: 1024, delay: .microseconds(200)))
    for number in 0..<20 {
      #expect(
        try await short.classify(Self.image(number))
          == InferenceEngine(plan).classify(Self.image(number)))
    }
    #expect(short.counts.runs == 20)
  }

  @Test("A call that is cancelled while it waits ends at once and takes no engine")
  func cancellation() async throws {
    let plan = try Self.plan()
    let held = try await HeldPool(plan, batching: .init(images: 4))
    let dropped = await held.waiting { try await $0.classify(Self.image(1)) }
    let kept = await held.waiting { try await $0.classify(Self.image(2)) }
    let other = await held.waiting { pool in try await pool.withEngine { _ in 1 } }
    dropped.cancel()
    other.cancel()
    // The engine is still held.
    await #expect(throws: CancellationError.self) { try await dropped.value }
    await #expect(throws: CancellationError.self) { try await other.value }
    #expect(held.pool.counts.waiting == 1 && held.pool.counts.cancelled == 2)
    let early = Task {
      await until { Task.isCancelled }
      return try await held.pool.classify(Self.image(1))
    }
    early.cancel()
    await #expect(throws: CancellationError.self) { try await early.value }
    try await held.release()
    #expect(try await kept.value == InferenceEngine(plan).classify(Self.image(2)))
    #expect(held.pool.counts.cancelled == 3 && held.pool.counts.runs == 2)
  }

  @Test("Callers that come and go at any moment leave nothing behind")
  func storm() async throws {
    let plan = try Self.plan()
    let pool = try EnginePool(
      plan, size: 2, threadsPerEngine: 2, batching: .init(images: 3, delay: .microseconds(50)))
    let expected = try InferenceEngine(plan).classify(Self.image(4))
    let total = 400
    let ends = await withTaskGroup(of: Bool.self) { group in
      for number in 0..<total {
        group.addTask {
          let call = Task { try await pool.classify(Self.image(4)) }
          for _ in 0..<number % 5 { await Task.yield() }
          if number % 3 == 0 { call.cancel() }
          switch await call.result {
          case .success(let guesses): return guesses == expected
          case .failure(let error): return number % 3 == 0 && error is CancellationError
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(ends.count == total && ends.allSatisfy(\.self))
    await pool.shutDown()
    let counts = pool.counts
    #expect(counts.finished + counts.cancelled == total)
    #expect(counts.waiting == 0 && counts.computing == 0 && counts.failed == 0)
  }

  @Test(
    "With a limit, calls beyond it are refused; those that an engine takes at once do not count")
  func backPressure() async throws {
    let plan = try Self.plan()
    for limit in [0, 2] {
      let held = try await HeldPool(plan, waitingLimit: limit)
      var calls: [Task<[Prediction.Guess], any Error>] = []
      for number in 0..<limit {
        calls.append(await held.waiting { try await $0.classify(Self.image(number)) })
      }
      for _ in 0..<3 {
        await #expect(throws: RuntimeError.poolFull(waiting: limit)) {
          try await held.pool.classify(Self.image(9))
        }
      }
      try await held.release()
      for call in calls { _ = try await call.value }
      #expect(held.pool.counts.refused == 3)
    }
    // An engine that has nothing to do takes a call though none may wait.
    let pool = try EnginePool(plan, size: 1, waitingLimit: 0)
    #expect(try await pool.classify(Self.image(1)).count == 5)
  }

  @Test("A pool that is shut down finishes what waits, or refuses it")
  func shutDown() async throws {
    for isFinishing in [true, false] {
      let held = try await HeldPool(Self.plan())
      let pool = held.pool
      let call = await held.waiting { try await $0.classify(Self.image(1)) }
      let end = Task { await pool.shutDown(finishingWaiting: isFinishing) }
      if isFinishing {
        // Not yet told the pool, this one may come in; the first that is refused ends the loop.
        var isRefused = false
        while !isRefused {
          let late = Task { try await pool.classify(Self.image(2)) }
          await until { pool.counts.refused > 0 || pool.counts.waiting > 1 }
          isRefused = pool.counts.refused > 0
          late.cancel()
        }
      } else {
        await #expect(throws: RuntimeError.poolShutDown) { try await call.value }
      }
      try await held.release()
      await end.value
      if isFinishing { #expect(try await call.value.count == 5) }
      await pool.shutDown()
      await #expect(throws: RuntimeError.poolShutDown) { try await pool.classify(Self.image(1)) }
      await #expect(throws: RuntimeError.poolShutDown) { try await pool.withEngine { _ in } }
    }
  }

  @Test("A pool that nobody has any more ends its threads and gives the plan back")
  func abandoned() async throws {
    weak var plan: InferencePlan?
    do {
      let own = try Self.plan()
      plan = own
      let pool = try EnginePool(own, size: 3)
      _ = try await pool.classify(Self.image(1))
    }
    await until { plan == nil }
  }

  @Test("Ways to gather and limits that make no sense are errors")
  func settings() throws {
    let plan = try Self.plan()
    for batching in [
      EnginePool.Batching(images: 0), .init(images: -1), .init(images: 10_000),
      .init(images: 2, delay: .seconds(-1)), .init(images: 2, delay: .seconds(61)),
    ] {
      let error = #expect(throws: RuntimeError.self) {
        try EnginePool(plan, size: 1, batching: batching)
      }
      #expect(error?.description.contains("use 1 to 1024 images and 0 to 60 seconds") == true)
    }
    #expect(throws: RuntimeError.waitingLimit(-1)) {
      try EnginePool(plan, size: 1, waitingLimit: -1)
    }
    for size in [0, 10_000] {
      #expect(throws: RuntimeError.poolSize(size)) { try EnginePool(plan, size: size) }
    }
  }
}
