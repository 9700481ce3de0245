// SPDX-License-Identifier: Apache-2.0

/// Names a value of a program: its position among them.
struct ValueID: Hashable, Sendable {
  var index: Int32

  init(_ index: Int) { self.index = Int32(truncatingIfNeeded: index) }
}

struct Channel: Hashable, Sendable {
  var value: ValueID
  var index: Int32

  init(_ value: ValueID, _ index: Int) {
    self.value = value
    self.index = Int32(truncatingIfNeeded: index)
  }
}

/// What a step reads plane by plane: channels of any values, in any order. Slices, concatenations and
/// shuffles of channels are other lists; they take no step.
struct Planes: Hashable, Sendable {
  var channels: [Channel]
  var height: Int
  var width: Int

  var pixels: Int { height * width }
  var count: Int { channels.count }
}

/// What a step reads: planes, or a value of another format as a whole.
enum Operand: Hashable, Sendable {
  case planes(Planes)
  case value(ValueID)
}

/// What a tensor's numbers are, and where the range of 8 bits comes from.
struct Element: Hashable, Sendable {
  var precision: Precision
  /// The calibration's key of the tensor, "layer/tensor"; empty where no precision needs one.
  var range = ""

  static let float32 = Element(precision: .float32)
}

/// How a value lies in memory.
enum Format: Hashable, Sendable {
  /// NCHW, each plane beginning at a cache line; single values side by side.
  case planes
  /// NCHW without gaps: what comes in and what goes out.
  case flat
  /// NCHWc: [block][pixel][lane]. `order` is the channel of each lane of each block, −1 for none.
  case blocked(order: [Int], Element)
  /// VNNI packing: [group][pixel], a group being 2 channels of bfloat16 or 4 of 8 bits in 32 bits.
  case groups(Element)
  /// Sums over the pixels of a blocked value, a row of lanes for each of the bands that sum up.
  case sums(of: ValueID, bands: Int)
  /// A factor for each lane of a blocked value that its projection reads.
  case gate(of: ValueID)
  /// The least and the greatest value of so many tensors.
  case extremes(tensors: Int)
}

/// Where a value lies.
enum Residence: Hashable, Sendable {
  /// In memory of its own.
  case own
  /// Over channels of other values, which own their memory and are not read any more.
  case over([Channel])
  /// Over a value of the same format, place by place.
  case overValue(ValueID)
}

/// A tensor that a step makes and others read.
struct PlanValue: Hashable, Sendable {
  var channels: Int
  var height: Int
  var width: Int
  var format = Format.planes
  var residence = Residence.own

  var pixels: Int { height * width }

  /// Floats from one plane to the next.
  var planeStride: Int {
    if case .flat = format { return pixels }
    return pixels == 1 ? 1 : Self.aligned(pixels)
  }

  /// A number of floats filled up to whole cache lines.
  static func aligned(_ size: Int) -> Int { (size + 15) / 16 * 16 }

  /// What its numbers are.
  var element: Element {
    switch format {
    case .blocked(_, let element), .groups(let element): element
    case .planes, .flat, .sums, .gate, .extremes: .float32
    }
  }

  /// Planes in all: those of channels, or of the groups that they lie in.
  var planes: Int {
    guard case .groups(let element) = format else { return channels }
    let values = element.precision.valuesPerGroup
    return (channels + values - 1) / values
  }

  /// The channel of each lane of a blocked value, −1 for none; nothing for others.
  var order: [Int] {
    if case .blocked(let order, _) = format { order } else { [] }
  }

  /// The lanes that a projection reads: those that hold a channel, or in reduced precision
  /// those of groups that hold one.
  var usedLanes: [Int] {
    let order = order
    let values = element.precision == .float32 ? 1 : element.precision.valuesPerGroup
    return order.indices.filter { lane in
      let first = lane / values * values
      return order[first..<first + values].contains { $0 >= 0 }
    }
  }
}
