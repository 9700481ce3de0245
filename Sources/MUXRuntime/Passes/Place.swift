// SPDX-License-Identifier: Apache-2.0

/// The fifth pass: where values lie in an engine's arena.
struct Placement: Sendable {
  /// A stretch of the arena that a value owns.
  struct Stretch: Sendable {
    var value: ValueID
    var storage: Storage
    /// Floats from the arena's start.
    var offset: Int
  }

  /// Of all values with memory of their own, in the order in which they are made.
  let stretches: [Stretch]
  /// Floats of the arena.
  let size: Int
  private var offsets: [Int]

  /// Places the values of a program. If it is guarded, each gets pages of its own, so that it ends where
  /// a page begins that may not be touched.
  init(_ program: Program, isGuarded: Bool = false) {
    let (values, storages) = Self.lifetimes(program)
    let plan =
      isGuarded
      ? MemoryPlan(guarded: storages, pageSize: PlanMemory.pageSize) : MemoryPlan(storages)
    var offsets = Array(repeating: 0, count: program.values.count)
    for (value, offset) in zip(values, plan.offsets) { offsets[Int(value.index)] = offset }
    self.offsets = offsets
    size = plan.size
    stretches = values.indices.map {
      Stretch(value: values[$0], storage: storages[$0], offset: plan.offsets[$0])
    }
  }

  /// Where the memory begins that a value owns.
  subscript(_ value: ValueID) -> Int { offsets[Int(value.index)] }

  subscript(_ plane: Plane) -> Int { self[plane.storage] + plane.offset }

  /// The values that own memory, in the order in which they are made, and from which step to which each
  /// must keep it.
  private static func lifetimes(_ program: Program) -> ([ValueID], [Storage]) {
    var positions: [Int?] = Array(repeating: nil, count: program.values.count)
    var values: [ValueID] = []
    var storages: [Storage] = []
    func touch(_ value: ValueID, at step: Int) {
      if let position = positions[Int(value.index)] {
        storages[position].lastStep = max(storages[position].lastStep, step)
        return
      }
      positions[Int(value.index)] = values.count
      values.append(value)
      storages.append(Storage(size: program.size(of: value), firstStep: step, lastStep: step))
      if case .extremes = program[value].format {
        // Nothing else may lie there, from before the first step to after the last.
        storages[values.count - 1].firstStep = 0
        storages[values.count - 1].lastStep = .max
      }
    }
    touch(Program.input, at: 0)
    for (index, step) in program.steps.enumerated() {
      for value in step.writes where program[value].residence == .own { touch(value, at: index) }
      for value in program.touched(by: step) { touch(value, at: index) }
    }
    for output in program.outputs { touch(output.place.storage, at: .max) }
    return (values, storages)
  }
}
