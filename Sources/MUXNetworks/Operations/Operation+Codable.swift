// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// An operation is written flat: its `type`, then its settings beside it.
extension Operation: Codable {
  private enum Key: String, CodingKey {
    case type
  }

  /// Reads an operation. Settings that came later than the first files have defaults; an unknown
  /// operation or setting is an error that names the nearest.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: AnyKey.self)
    let key = AnyKey(Key.type)
    let type = try container.decode(String.self, forKey: key)
    guard let kind = OperationKind(rawValue: type) else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: container,
        debugDescription: "unknown operation '\(type)'"
          + NameDistance.hint(for: type, among: OperationKind.allCases.map(\.rawValue)))
    }
    try container.rejectKeys(notAmong: [key.stringValue] + kind.rules.settingNames)
    self = try kind.rules.init(from: decoder).operation
  }

  /// Writes an operation.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(type, forKey: .type)
    try rules.encode(to: encoder)
  }
}
