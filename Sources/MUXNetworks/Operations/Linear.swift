// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// A fully connected layer, [N, F] → [N, F′].
public struct Linear: Sendable, Hashable, Codable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case inputFeatures, outputFeatures, hasBias
  }

  /// F, the features that go in.
  public var inputFeatures: Int
  /// F′, the features that come out.
  public var outputFeatures: Int
  /// Whether a bias is added.
  public var hasBias: Bool

  /// A fully connected layer.
  public init(inputFeatures: Int, outputFeatures: Int, hasBias: Bool = true) {
    self.inputFeatures = inputFeatures
    self.outputFeatures = outputFeatures
    self.hasBias = hasBias
  }

  /// Reads a layer; it has a bias unless said.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      inputFeatures: try values.decode(Int.self, forKey: .inputFeatures),
      outputFeatures: try values.decode(Int.self, forKey: .outputFeatures),
      hasBias: try values.value(.hasBias, default: true))
  }
}

extension Linear: OperationRules {
  static let kind = OperationKind.linear
  static let arity = 1...1
  static let settingNames = CodingKeys.allCases.map(\.rawValue)

  var operation: Operation { .linear(self) }
  var formatVersion: Int { 1 }
  var isWithinLimits: Bool {
    Limits.holds([inputFeatures, outputFeatures], Limits.tensor)
      && (inputFeatures < 1 || outputFeatures < 1
        || Limits.holdsProduct([inputFeatures, outputFeatures], below: Limits.weights))
  }
  var defect: String? {
    inputFeatures > 0 && outputFeatures > 0
      ? nil : "a linear layer needs at least one input and one output"
  }

  func shape(of inputs: [Shape]) throws(ShapeMismatch) -> Shape {
    let input = inputs[0]
    guard input.height == 1, input.width == 1 else {
      throw ShapeMismatch(reason: "a linear layer needs features, not \(input); pool first")
    }
    try ShapeMismatch.check(input, hasChannels: inputFeatures)
    return Shape(channels: outputFeatures)
  }

  var parameters: [ParameterRule] {
    [.init(suffix: "weight", shape: [outputFeatures, inputFeatures], role: .linearWeight)]
      + (hasBias ? [.init(suffix: "bias", shape: [outputFeatures], role: .bias)] : [])
  }

  func costs(input: Shape, output: Shape) -> [OperationCost] {
    let products = inputFeatures * outputFeatures
    return [
      .init(
        .linear, output: output, parameters: products + (hasBias ? outputFeatures : 0),
        multiplyAdds: products)
    ]
  }

  var windows: [(convolution: Convolution, factor: Int)] { [] }
  var effect: InferenceEffect { .computes }
  var isFlat: Bool? { true }
}
