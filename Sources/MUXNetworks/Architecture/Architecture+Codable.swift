// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Unknown keys are errors, so that a typing mistake is never silently ignored.
extension Architecture: Codable {
  enum Key: String, CodingKey, CaseIterable {
    case version, name, inputChannels, inputSize, classes, stem, stages, head, activation
    case excitation, expansionDivisor, widthMultiplier, outputStride, dropoutRate, dropPathRate
    case normalizationEpsilon, normalizationMomentum, padding, initialization
  }

  /// Reads an architecture; `inputSize` may be one number or height and width.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    // First: what a newer file holds beside may have any keys.
    try NetworkFormat.check(values, .version, what: "architecture")
    try decoder.rejectUnknownKeys(Key.self)
    self.init(
      name: try values.decode(String.self, forKey: .name),
      stem: try values.decode(Stem.self, forKey: .stem),
      stages: try Self.stages(in: values),
      head: try values.decode(Head.self, forKey: .head))
    func read<Value: Decodable>(_ key: Key, _ path: WritableKeyPath<Self, Value>) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) {
        self[keyPath: path] = value
      }
    }
    if let side = try? values.decodeIfPresent(Int.self, forKey: .inputSize) {
      inputSize = ImageSize(side)
    } else {
      try read(.inputSize, \.inputSize)
    }
    try read(.inputChannels, \.inputChannels)
    try read(.classes, \.classes)
    try read(.activation, \.activation)
    try read(.excitation, \.excitation)
    try read(.expansionDivisor, \.expansionDivisor)
    try read(.widthMultiplier, \.widthMultiplier)
    outputStride = try values.decodeIfPresent(Int.self, forKey: .outputStride)
    try read(.dropoutRate, \.dropoutRate)
    try read(.dropPathRate, \.dropPathRate)
    try read(.normalizationEpsilon, \.normalizationEpsilon)
    try read(.normalizationMomentum, \.normalizationMomentum)
    try read(.padding, \.padding)
    try read(.initialization, \.initialization)
  }

  /// Reads the block strings one by one, so that a file which only says the same again and again is
  /// refused before it fills the memory.
  private static func stages(
    in values: KeyedDecodingContainer<Key>
  ) throws -> [[BlockSpecification]] {
    var list = try values.nestedUnkeyedContainer(forKey: .stages)
    var stages: [[BlockSpecification]] = []
    var count = 0
    func require(_ count: Int) throws {
      guard count <= Limits.blocks else {
        throw DecodingError.dataCorruptedError(
          forKey: .stages, in: values,
          debugDescription: "a network has at most \(Limits.blocks) blocks, repeats counted")
      }
    }
    while !list.isAtEnd {
      var blocks = try list.nestedUnkeyedContainer()
      var stage: [BlockSpecification] = []
      while !blocks.isAtEnd {
        stage.append(try blocks.decode(BlockSpecification.self))
        count += stage[stage.count - 1].repeats
        try require(count)
      }
      stages.append(stage)
      try require(stages.count)
    }
    return stages
  }

  /// The first version of block-string files that can say the architecture.
  private var formatVersion: Int {
    padding == .symmetric
      ? functions.map { Operation.activation($0).rules.formatVersion }.max() ?? 1 : 2
  }

  /// Writes an architecture.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
    try values.encode(formatVersion, forKey: .version)
    try values.encode(name, forKey: .name)
    try values.encode(inputChannels, forKey: .inputChannels)
    if inputSize.height == inputSize.width {
      try values.encode(inputSize.height, forKey: .inputSize)
    } else {
      try values.encode(inputSize, forKey: .inputSize)
    }
    try values.encode(classes, forKey: .classes)
    try values.encode(stem, forKey: .stem)
    try values.encode(stages, forKey: .stages)
    try values.encode(head, forKey: .head)
    try values.encode(activation, forKey: .activation)
    if excitation != Excitation() { try values.encode(excitation, forKey: .excitation) }
    if expansionDivisor != 1 { try values.encode(expansionDivisor, forKey: .expansionDivisor) }
    try values.encode(widthMultiplier, forKey: .widthMultiplier)
    try values.encodeIfPresent(outputStride, forKey: .outputStride)
    try values.encode(dropoutRate, forKey: .dropoutRate)
    try values.encode(dropPathRate, forKey: .dropPathRate)
    try values.encode(normalizationEpsilon, forKey: .normalizationEpsilon)
    try values.encode(normalizationMomentum, forKey: .normalizationMomentum)
    if padding != .symmetric { try values.encode(padding, forKey: .padding) }
    try values.encode(initialization, forKey: .initialization)
  }
}

extension Architecture.Stem: Decodable {
  enum Key: String, CodingKey, CaseIterable {
    case channels, kernelSize, stride, scalesWithWidth
  }

  /// Reads a stem; all but the channels have defaults.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    channels = try values.decode(Int.self, forKey: .channels)
    kernelSize = try values.decodeIfPresent(Int.self, forKey: .kernelSize) ?? 3
    stride = try values.decodeIfPresent(Int.self, forKey: .stride) ?? 2
    scalesWithWidth = try values.decodeIfPresent(Bool.self, forKey: .scalesWithWidth) ?? true
  }
}

extension Architecture.Head: Decodable {
  enum Key: String, CodingKey, CaseIterable {
    case channels, width, followsPool
  }

  /// Reads a head; its width is fixed unless said.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    channels = try values.decode(Int.self, forKey: .channels)
    width = try values.decodeIfPresent(Architecture.HeadWidth.self, forKey: .width) ?? .fixed
    followsPool = try values.decodeIfPresent(Bool.self, forKey: .followsPool) ?? false
  }
}
