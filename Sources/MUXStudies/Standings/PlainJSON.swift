// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A value as JSON for other programs: what Swift codes as `{"targets": {"_0": […]}}`, a case's value without a
/// label, is `{"targets": […]}` here.
indirect enum PlainJSON: Codable {
  case null
  case truth(Bool)
  // Both kinds of whole numbers, so that no seed loses digits.
  case whole(Int)
  case large(UInt64)
  case number(Double)
  case text(String)
  case list([PlainJSON])
  case object([String: PlainJSON])

  init(_ value: some Encodable) throws {
    self = try JSONDecoder().decode(Self.self, from: JSONEncoder().encode(value))
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .truth(value)
    } else if let value = try? container.decode(Int.self) {
      self = .whole(value)
    } else if let value = try? container.decode(UInt64.self) {
      self = .large(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([PlainJSON].self) {
      self = .list(value)
    } else {
      let value = try container.decode([String: PlainJSON].self)
      if value.count == 1, let only = value["_0"] { self = only } else { self = .object(value) }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .truth(let value): try container.encode(value)
    case .whole(let value): try container.encode(value)
    case .large(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .text(let value): try container.encode(value)
    case .list(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}
