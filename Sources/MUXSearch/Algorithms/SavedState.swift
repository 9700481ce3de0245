// SPDX-License-Identifier: Apache-2.0
import Foundation

/// States of algorithms as JSON. Crowding distances and ideal points may be infinite, which plain
/// JSON cannot say.
enum SavedState {
  static func encode(_ state: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(state)
  }

  static func decode<State: Decodable>(_ type: State.Type, from data: Data) throws -> State {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(type, from: data)
  }
}
