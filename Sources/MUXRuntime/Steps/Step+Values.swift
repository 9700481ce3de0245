// SPDX-License-Identifier: Apache-2.0

extension Step {
  /// The values that the step makes, in the order in which they get memory.
  var writes: [ValueID] {
    switch operation {
    case .spatial(let step): [step.observed, step.output, step.kept, step.sums].compactMap(\.self)
    case .dense(let step): [step.observed, step.output].compactMap(\.self)
    case .linear(let step): [step.output]
    case .elementwise(let step): [step.output]
    case .planes(let step): [step.output]
    case .l2Normalization(let step): [step.output]
    case .unblock(let step): [step.output]
    case .pack(let step): [step.observed, step.output].compactMap(\.self)
    }
  }

  /// Where the step leaves the least and the greatest values of tensors, if they are measured.
  var extremes: ValueID? {
    switch operation {
    case .spatial(let step): step.observed
    case .dense(let step): step.observed
    case .pack(let step): step.observed
    case .linear, .elementwise, .planes, .l2Normalization, .unblock: nil
    }
  }

  /// The tensors whose extremes these are.
  var observed: [String] {
    switch operation {
    case .spatial(let step):
      step.precision == .float32 ? ["result"] : ["gathered", "middle", "result"]
    case .dense, .pack: ["input"]
    case .linear, .elementwise, .planes, .l2Normalization, .unblock: []
    }
  }

  /// Goes through what the step reads.
  func forEachOperand(_ body: (Operand) -> Void) {
    switch operation {
    case .spatial(let step): body(step.input)
    case .dense(let step):
      switch step.source {
      case .planes(let planes), .windows(let planes, _): body(.planes(planes))
      case .value(let id): body(.value(id))
      }
      if let addend = step.sum?.addend { body(addend) }
      if let gate = step.gate { body(.value(gate)) }
    case .linear(let step): body(step.input)
    case .elementwise(let step):
      body(.planes(step.a))
      if let b = step.b { body(.planes(b)) }
    case .planes(let step): body(.planes(step.input))
    case .l2Normalization(let step): body(.planes(step.input))
    case .unblock(let step): body(.value(step.input))
    case .pack(let step): body(.planes(step.input))
    }
  }

  /// Goes through the values that the step reads; through those of planes again and again.
  func forEachRead(_ body: (ValueID) -> Void) {
    forEachOperand { operand in
      switch operand {
      case .value(let id): body(id)
      case .planes(let planes):
        for channel in planes.channels { body(channel.value) }
      }
    }
  }
}

extension Program {
  /// The values in whose memory a step reads or writes.
  func touched(by step: Step) -> Set<ValueID> {
    var touched: Set<ValueID> = []
    for id in step.writes { addOwners(of: id, to: &touched) }
    step.forEachOperand { operand in
      switch operand {
      case .value(let id): addOwners(of: id, to: &touched)
      case .planes(let planes):
        var last: ValueID?
        for channel in planes.channels {
          let owner = owner(of: channel).value
          if owner != last { touched.insert(owner) }
          last = owner
        }
      }
    }
    return touched
  }

  private func addOwners(of id: ValueID, to owners: inout Set<ValueID>) {
    switch self[id].residence {
    case .own: owners.insert(id)
    case .overValue(let other): owners.insert(other)
    case .over(let channels):
      for channel in channels { owners.insert(channel.value) }
    }
  }
}
