// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// The third pass: the precision of products, and how values lie in memory between steps.
///
/// First it is decided, by what makes a value and what reads it, how the value lies. Then all steps are
/// rewritten for that, and where a reader wants something else than there is, a step that converts stands
/// before it.
struct FormatChoice {
  let before: Program
  var program: Program
  private let readers: [Int?]
  /// The step that makes each value.
  private let makers: [Int?]
  /// That of the step at work.
  var precision: Precision

  /// The precision of each step's products, before what a step cannot do.
  private let precisions: [Precision]

  var isObserving: Bool { before.target.isObserving }
  var lanes: Int { before.target.lanes }

  static func chooseFormats(_ program: Program) -> Program {
    var choice = FormatChoice(program)
    for (index, step) in program.steps.enumerated() {
      choice.precision = choice.precisions[index]
      switch step.operation {
      case .spatial(let spatial): choice.chooseInput(of: spatial, at: index)
      case .dense(let dense): choice.chooseInput(of: dense, at: index)
      case .linear, .elementwise, .planes, .l2Normalization, .unblock, .pack: break
      }
    }
    for (index, step) in program.steps.enumerated() where !choice.isFused(index) {
      choice.precision = choice.precisions[index]
      choice.rewrite(step, at: index)
    }
    return choice.program
  }

  private init(_ program: Program) {
    before = program
    self.program = program
    self.program.steps = []
    self.program.steps.reserveCapacity(program.steps.count)
    readers = program.soleReaders()
    var makers = [Int?](repeating: nil, count: program.values.count)
    for (index, step) in program.steps.enumerated() {
      for id in step.writes { makers[Int(id.index)] = index }
    }
    self.makers = makers
    precision = program.target.precision
    precisions = Self.precisions(program, readers: readers)
  }

  /// What layers that are kept leave of the target's precision: who keeps a step of a group keeps all.
  private static func precisions(
    _ program: Program, readers: [Int?]
  ) -> [Precision] {
    var precisions = Array(repeating: program.target.precision, count: program.steps.count)
    let kept = program.target.kept
    guard !kept.isEmpty else { return precisions }
    for group in groups(program, readers: readers)
    where group.contains(where: { program.steps[$0].layers.contains(where: kept.contains) }) {
      for index in group { precisions[index] = .float32 }
    }
    return precisions
  }

  /// Steps whose products have one precision: a spatial convolution and the projection that reads it,
  /// which hand on values of it, and each other step by itself.
  private static func groups(_ program: Program, readers: [Int?]) -> [[Int]] {
    var isTaken = [Bool](repeating: false, count: program.steps.count)
    var groups: [[Int]] = []
    for (index, step) in program.steps.enumerated() where !isTaken[index] {
      var group = [index]
      if case .spatial(let spatial) = step.operation,
        let reader = readers[Int(spatial.output.index)],
        case .dense = program.steps[reader].operation
      {
        group.append(reader)
        isTaken[reader] = true
      }
      groups.append(group)
    }
    return groups
  }

  /// The layers of a lowered program whose products have one precision, group by group.
  static func layers(of program: Program) -> [[String]] {
    var seen: Set<String> = []
    return groups(program, readers: program.soleReaders()).compactMap { group in
      let layers = group.flatMap { program.steps[$0].layers }.filter { seen.insert($0).inserted }
      return layers.isEmpty ? nil : layers
    }
  }

  // MARK: What each value is

  /// A projection that a single expansion reads gives what that would have: VNNI groups, or lanes of
  /// blocks, which spares a transposition. (What is measured is measured where groups are made of
  /// planes.)
  private mutating func chooseInput(of step: SpatialStep, at index: Int) {
    guard let expansion = step.expansion else {
      chooseLanes(of: step, at: index)
      return
    }
    guard !isObserving, expansion.window == nil,
      case .planes(let planes) = step.input, let value = program.whole(planes),
      readers[Int(value.index)] == index, let maker = makers[Int(value.index)],
      case .dense(let projection) = before.steps[maker].operation,
      case .value = projection.source, precisions[maker] == precision
    else { return }
    var kept: ValueID?
    switch projection.sum?.addend {
    case .planes: return
    case .value(let id): kept = id
    case nil: break
    }
    switch (precision, multipliesGroups(step)) {
    case (.float32, _):
      let order = lanesInOrder(of: program[value])
      program[value].format = .blocked(order: order, .float32)
      // The result takes the place of what is added, lane by lane.
      if let kept { program[value].residence = .overValue(kept) }
    case (_, true):
      program[value].format = .groups(
        Element(precision: precision, range: before.steps[index].range("input")))
    case (_, false): break
    }
  }

  /// The channels of a value in order, lane by lane.
  private func lanesInOrder(of value: PlanValue) -> [Int] {
    let count = value.channels
    return (0..<(count + lanes - 1) / lanes * lanes).map { $0 < count ? $0 : -1 }
  }

  /// A depthwise convolution without an expansion that alone reads a dense convolution takes its lanes.
  private mutating func chooseLanes(of step: SpatialStep, at index: Int) {
    guard case .planes(let planes) = step.input, let value = lanes(of: planes, readAt: index),
      step.layout.inputs == lanesInOrder(of: program[value])
    else { return }
    program[value].format = .blocked(order: step.layout.inputs, .float32)
  }

  /// So does a dense convolution, of single pixels or by Winograd's tiles.
  private mutating func chooseInput(of step: DenseStep, at index: Int) {
    let planes: Planes
    switch step.source {
    case .planes(let own): planes = own
    case .windows(let own, _):
      guard winograd(of: step) != nil else { return }
      planes = own
    case .value: return
    }
    guard step.linearWeights == nil, let value = lanes(of: planes, readAt: index) else { return }
    // What is added as well is read plane by plane.
    if case .planes(let addend) = step.sum?.addend,
      addend.channels.contains(where: { $0.value == value })
    {
      return
    }
    program[value].format = .blocked(order: lanesInOrder(of: program[value]), .float32)
  }

  /// The value that planes are, if it may be lanes instead: a dense convolution makes it, only the step at
  /// `index` reads it, and both are in single precision.
  func lanes(of planes: Planes, readAt index: Int) -> ValueID? {
    guard !isObserving, precision == .float32, planes.pixels > 1,
      let value = program.whole(planes), readers[Int(value.index)] == index,
      program[value].format == .planes, program[value].residence == .own,
      let maker = makers[Int(value.index)], precisions[maker] == .float32,
      case .dense(let dense) = before.steps[maker].operation, dense.sum == nil, !dense.isPooled,
      dense.linearWeights == nil
    else { return nil }
    return value
  }

  /// The tiles of a dense step with windows, if it has some.
  func winograd(of step: DenseStep) -> Winograd? {
    guard precision == .float32, !isObserving, case .windows(_, let convolution) = step.source
    else { return nil }
    return Winograd.best(convolution, outputs: step.rows.count, size: step.size)
  }

  // MARK: Activations before a convolution

  /// Whether a step is an activation that the next one applies itself, where it copies its input.
  private func isFused(_ index: Int) -> Bool {
    guard index + 1 < before.steps.count,
      case .spatial(let spatial) = before.steps[index + 1].operation
    else { return false }
    return activation(before: spatial, at: index + 1) != nil
  }

  /// The activation right before a spatial step without an expansion that alone reads it. (Later, what it
  /// reads might have been written over.)
  func activation(before spatial: SpatialStep, at index: Int) -> ElementwiseStep? {
    guard index > 0, !isObserving, precisions[index] == .float32, spatial.expansion == nil,
      case .planes(let planes) = spatial.input,
      case .elementwise(let step) = before.steps[index - 1].operation, step.mode == .unary,
      step.norm == nil, step.offset == 0, let value = before.whole(planes), value == step.output,
      readers[Int(value.index)] == index
    else { return nil }
    return step
  }

  /// Whether a spatial step multiplies groups: plain branches without dilation. Multiplexed ones only
  /// with 8 bits (groups of two values save less than making them costs), and superpixel branches
  /// only if a block can hold all their phases.
  func multipliesGroups(_ step: SpatialStep) -> Bool {
    // What measures ranges for 8 bits has the steps of 8 bits.
    let gains = precision == .int8 || isObserving
    return isProjected(step) && precision != .float32
      && (step.expansion?.window?.dilation ?? 1) == 1
      && step.branches.allSatisfy { branch in
        guard branch.convolution.dilation == 1 else { return false }
        return switch branch.mode {
        case .plain: true
        case .superpixel, .narrowSuperpixel: gains && SpatialLayout.canBeNarrow(branch)
        case .subpixel: gains
        }
      }
  }

  /// Whether a projection reads the result, and not a step that makes planes of it.
  func isProjected(_ step: SpatialStep) -> Bool {
    guard let reader = readers[Int(step.output.index)] else { return false }
    if case .dense = before.steps[reader].operation { return true }
    return false
  }
}
