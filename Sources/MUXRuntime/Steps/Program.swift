// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// What a plan is compiled for.
struct PlanTarget: Hashable, Sendable {
  /// Channels side by side in a vector, and so in a block.
  var lanes: Int
  /// The precision of products.
  var precision = Precision.float32
  /// Whether the plan measures the ranges that a calibration holds.
  var isObserving = false
  /// Layers whose products are in single precision all the same.
  var kept: Set<String> = []
}

/// A network as steps over values: what the passes hand on.
struct Program: Sendable {
  /// One output of the network.
  struct Output: Hashable, Sendable {
    var shape: Shape
    /// Where it lies, without gaps: in the memory of which value, how many floats from its start.
    var place: Plane
  }

  let name: String
  let target: PlanTarget
  var values: [PlanValue] = []
  var steps: [Step] = []
  /// The network's outputs, which lie one after the other.
  var outputs: [Output] = []

  init(name: String, target: PlanTarget) {
    self.name = name
    self.target = target
  }

  /// What comes in.
  static let input = ValueID(0)

  subscript(_ id: ValueID) -> PlanValue {
    get { values[Int(id.index)] }
    set { values[Int(id.index)] = newValue }
  }

  /// Names a new value.
  mutating func add(_ value: PlanValue) -> ValueID {
    values.append(value)
    return ValueID(values.count - 1)
  }

  /// All channels of a value that lies in planes.
  func planes(_ id: ValueID) -> Planes {
    let value = self[id]
    return Planes(
      channels: (0..<value.channels).map { Channel(id, $0) }, height: value.height,
      width: value.width)
  }

  /// The value of which planes are all channels in their order, if they are that.
  func whole(_ planes: Planes) -> ValueID? {
    guard let id = planes.channels.first?.value else { return nil }
    let value = self[id]
    guard value.channels == planes.count, value.height == planes.height,
      value.width == planes.width
    else { return nil }
    for (index, channel) in planes.channels.enumerated() where channel != Channel(id, index) {
      return nil
    }
    return id
  }

  // MARK: Memory

  /// The value whose memory a channel lies in, with the channel's number there.
  func owner(of channel: Channel) -> Channel {
    switch values[Int(channel.value.index)].residence {
    case .own, .overValue: channel
    case .over(let channels): channels[Int(channel.index)]
    }
  }

  /// Where a channel's plane begins.
  func plane(_ channel: Channel) -> Plane {
    let owner = owner(of: channel)
    return Plane(
      storage: owner.value, offset: Int(owner.index) * values[Int(owner.value.index)].planeStride)
  }

  /// The floats of a value that lies in memory of its own.
  func size(of id: ValueID) -> Int {
    let value = self[id]
    switch value.format {
    case .planes, .flat: return (value.channels - 1) * value.planeStride + value.pixels
    case .blocked(let order, let element):
      let share = element.precision == .float32 ? 1 : element.precision.valuesPerGroup
      return value.pixels * order.count / share
    case .groups: return value.planes * value.pixels
    case .sums(let blocked, let bands): return bands * self[blocked].order.count
    case .gate(let blocked): return self[blocked].usedLanes.count
    case .extremes(let tensors): return 2 * tensors
    }
  }

  // MARK: Products

  /// The inputs of a fully connected layer, lanes that hold no channel among them.
  func inputs(of step: LinearStep) -> Int {
    switch step.input {
    case .planes(let planes): planes.count
    case .value(let id):
      if case .sums(let blocked, _) = self[id].format { self[blocked].order.count } else { 0 }
    }
  }

  /// The outputs of a fully connected layer: channels, or the lanes that a gate has factors for.
  func outputs(of step: LinearStep) -> Int {
    if case .gate(let blocked) = self[step.output].format {
      self[blocked].usedLanes.count
    } else {
      self[step.output].channels
    }
  }

  // MARK: Readers

  /// The tensors that the plan measures, by the keys of a calibration: where the least value of each is,
  /// and the greatest after it.
  var observations: [(key: String, place: Plane)] {
    steps.flatMap { step in
      step.observed.enumerated().compactMap { index, tensor in
        step.extremes.map { (step.range(tensor), Plane(storage: $0, offset: 2 * index)) }
      }
    }
  }

  /// Where values are read as they are, whole and once.
  func soleReaders() -> [Int?] {
    var count = Array(repeating: 0, count: values.count)
    var reader: [Int?] = Array(repeating: nil, count: values.count)
    for (index, step) in steps.enumerated() {
      var seen: ValueID?
      step.forEachRead { id in
        // A list of planes names a value again and again.
        guard id != seen else { return }
        seen = id
        if reader[Int(id.index)] != index { count[Int(id.index)] += 1 }
        reader[Int(id.index)] = index
      }
    }
    for output in outputs { count[Int(output.place.storage.index)] += 1 }
    return values.indices.map { count[$0] == 1 ? reader[$0] : nil }
  }
}

/// The start of one channel's plane: in the memory of which value, how many floats from its start.
struct Plane: Hashable, Sendable {
  var storage: ValueID
  var offset: Int
}
