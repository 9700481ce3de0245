// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Unknown keys are errors, so that a typing mistake is never silently ignored.
extension Architecture: Codable {
  enum Key: String, CodingKey, CaseIterable {
    case name, inputChannels, inputSize, classes, stem, stages, head, activation
    case excitation, expansionDivisor, widthMultiplier, outputStride, dropoutRate, dropPathRate
    case normalizationEpsilon, normalizationMomentum, initialization
  }

  /// Reads an architecture; `inputSize` may be one number or height and width.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    self.init(
      name: try values.decode(String.self, forKey: .name),
      stem: try values.decode(Stem.self, forKey: .stem),
      stages: try values.decode([[BlockSpecification]].self, forKey: .stages),
      head: try values.decode(Head.self, forKey: .head))
    func read<Value: Decodable>(_ key: Key, _ path: WritableKeyPath<Self, Value>) throws {
      if let value = try values.decodeIfPresent(Value.self, forKey: key) {
        self[keyPath: path] = value
      }
    }
    if let side = try? values.decode(Int.self, forKey: .inputSize) {
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
    try read(.initialization, \.initialization)
  }

  /// Writes an architecture.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Key.self)
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

extension Architecture.Excitation: Decodable {
  enum Key: String, CodingKey, CaseIterable {
    case ratioOf, divisor, activation, gate
  }

  /// Reads how squeeze-and-excitation is made; what is left out is as in the paper's code.
  public init(from decoder: any Decoder) throws {
    try decoder.rejectUnknownKeys(Key.self)
    let values = try decoder.container(keyedBy: Key.self)
    ratioOf = try values.decodeIfPresent(Base.self, forKey: .ratioOf) ?? .input
    divisor = try values.decodeIfPresent(Int.self, forKey: .divisor) ?? 1
    activation = try values.decodeIfPresent(Activation.self, forKey: .activation)
    gate = try values.decodeIfPresent(Activation.self, forKey: .gate) ?? .sigmoid
  }
}

/// Any key of a file, to find those that nobody reads.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

extension Decoder {
  /// Throws if the value has a key that `Known` lacks, naming the nearest one.
  package func rejectUnknownKeys<Known: CodingKey & CaseIterable>(_ known: Known.Type) throws {
    let container = try container(keyedBy: AnyKey.self)
    let names = known.allCases.map(\.stringValue)
    for key in container.allKeys where !names.contains(key.stringValue) {
      let nearest = NameDistance.nearest(to: key.stringValue, among: names, limit: 1)
      let hint =
        nearest.first.map { "; did you mean '\($0)'?" }
        ?? "; known keys: \(names.joined(separator: ", "))"
      throw DecodingError.dataCorrupted(
        .init(codingPath: codingPath, debugDescription: "unknown key '\(key.stringValue)'\(hint)"))
    }
  }
}
