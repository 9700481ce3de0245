// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Unknown keys are errors, so that a typing mistake is never silently ignored.
extension NetworkSpace: Codable {
  enum Key: String, CodingKey, CaseIterable {
    case name, inputChannels, inputSize, classes, stem, stemStride, first, stages, tail, head
    case headWidth, dropoutRate, constraints
  }

  /// Reads a space.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    name = try values.decode(String.self, forKey: .name)
    inputChannels = try values.decodeIfPresent(Int.self, forKey: .inputChannels) ?? 3
    inputSize = try values.decode(Int.self, forKey: .inputSize)
    classes = try values.decode(Int.self, forKey: .classes)
    stem = try values.decode([Int].self, forKey: .stem)
    stemStride = try values.decodeIfPresent(Int.self, forKey: .stemStride) ?? 2
    first = try values.decodeIfPresent([String].self, forKey: .first) ?? []
    stages = try values.decode([Stage].self, forKey: .stages)
    tail = try values.decodeIfPresent(Tail.self, forKey: .tail)
    head = try values.decode([Int].self, forKey: .head)
    headWidth =
      try values.decodeIfPresent(Architecture.HeadWidth.self, forKey: .headWidth) ?? .fixed
    dropoutRate = try values.decodeIfPresent(Double.self, forKey: .dropoutRate) ?? 0
    constraints = try values.decodeIfPresent(Constraints.self, forKey: .constraints) ?? .init()
  }

  /// Writes a space.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(name, forKey: .name)
    try values.encode(inputChannels, forKey: .inputChannels)
    try values.encode(inputSize, forKey: .inputSize)
    try values.encode(classes, forKey: .classes)
    try values.encode(stem, forKey: .stem)
    try values.encode(stemStride, forKey: .stemStride)
    try values.encode(first, forKey: .first)
    try values.encode(stages, forKey: .stages)
    try values.encodeIfPresent(tail, forKey: .tail)
    try values.encode(head, forKey: .head)
    try values.encode(headWidth, forKey: .headWidth)
    try values.encode(dropoutRate, forKey: .dropoutRate)
    try values.encode(constraints, forKey: .constraints)
  }
}

extension NetworkSpace.Stage {
  enum Key: String, CodingKey, CaseIterable {
    case name, stride, activation, width, reductionKernels, reductionExpansion, kernel, expansion
    case repeats, leaveOut, multiplexing, groupWidth, squeeze
  }

  /// Reads a stage; a list left out is a decision that is not open.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    name = try values.decode(String.self, forKey: .name)
    stride = try values.decode(Int.self, forKey: .stride)
    activation = try values.decodeIfPresent(String.self, forKey: .activation) ?? "sw"
    width = try values.decode([Int].self, forKey: .width)
    reductionKernels = try values.decodeIfPresent([String].self, forKey: .reductionKernels) ?? ["3"]
    reductionExpansion =
      try values.decodeIfPresent([Double].self, forKey: .reductionExpansion) ?? [4]
    kernel = try values.decodeIfPresent([Int].self, forKey: .kernel) ?? [3]
    expansion = try values.decodeIfPresent([Double].self, forKey: .expansion) ?? [4]
    repeats = try values.decode([Int].self, forKey: .repeats)
    leaveOut = try values.decodeIfPresent([Double].self, forKey: .leaveOut) ?? [0.5]
    multiplexing = try values.decodeIfPresent([String].self, forKey: .multiplexing) ?? ["none"]
    groupWidth = try values.decodeIfPresent(Int.self, forKey: .groupWidth) ?? 2
    squeeze = try values.decodeIfPresent(Double.self, forKey: .squeeze) ?? 0.75
  }
}

extension NetworkSpace.Tail {
  enum Key: String, CodingKey, CaseIterable {
    case activation, kernel, width, expansion, squeeze
  }

  /// Reads a tail.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    activation = try values.decodeIfPresent(String.self, forKey: .activation) ?? "sw"
    kernel = try values.decodeIfPresent([Int].self, forKey: .kernel) ?? [3]
    width = try values.decode([Int].self, forKey: .width)
    expansion = try values.decodeIfPresent([Double].self, forKey: .expansion) ?? [6]
    squeeze = try values.decodeIfPresent(Double.self, forKey: .squeeze) ?? 0.75
  }
}

extension NetworkSpace.Constraints {
  enum Key: String, CodingKey, CaseIterable {
    case maximumParameters, maximumMultiplyAdds, maximumLatency
  }

  /// Reads limits.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    maximumParameters = try values.decodeIfPresent(Int.self, forKey: .maximumParameters)
    maximumMultiplyAdds = try values.decodeIfPresent(Int.self, forKey: .maximumMultiplyAdds)
    maximumLatency = try values.decodeIfPresent(Double.self, forKey: .maximumLatency)
  }
}
