// SPDX-License-Identifier: Apache-2.0

/// Consecutive channels of a tensor.
public struct ChannelSlice: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case start, count
  }

  /// The first channel.
  public var start: Int
  /// The number of channels, at least 1.
  public var count: Int

  /// The channels `start ..< start + count`.
  public init(start: Int, count: Int) {
    self.start = start
    self.count = count
  }
}

extension ChannelSlice: OperationRules {
  static let kind = OperationKind.slice
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .slice(self) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool { Limits.holds([start, count], Limits.tensor) }
  var defect: String? { start >= 0 && count > 0 ? nil : "an empty or negative channel slice" }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    let input = inputs[0]
    guard start + count <= input.channels else {
      throw ShapeMismatch(reason: "channels \(start)..<\(start + count) of \(input.channels)")
    }
    return Shape(channels: count, height: input.height, width: input.width)
  }

  var parameters: [ParameterRule] { [] }
  func costs(input: Shape, output: Shape) -> [OperationCost] { [.init(.other, output: output)] }
  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .selects(.range(start..<start + count)) }
  var isFlat: Bool? { nil }
}
