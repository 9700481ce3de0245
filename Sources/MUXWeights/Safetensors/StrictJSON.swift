// SPDX-License-Identifier: Apache-2.0

/// A JSON value that keeps the order of keys and integers beyond 2⁵³.
///
/// Foundation's parsers drop duplicate keys in silence, and a file format that forbids them must
/// see them; hence this reader. It accepts RFC 8259 and nothing else.
enum StrictJSON {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case array([StrictJSON])
  case object([(key: String, value: StrictJSON)])

  /// What is wrong, and at which byte.
  struct Failure: Error, Equatable {
    let offset: Int
    let reason: String
  }

  /// Parses a whole text; trailing white space is allowed, anything else after the value is not.
  static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> StrictJSON {
    var parser = Parser(bytes: bytes)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.offset == bytes.count else { throw parser.failure("text after the end") }
    return value
  }

  private struct Parser {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    func failure(_ reason: String) -> Failure { Failure(offset: offset, reason: reason) }

    var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func skipSpace() {
      while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
        offset += 1
      }
    }

    mutating func take(_ byte: UInt8) -> Bool {
      guard next == byte else { return false }
      offset += 1
      return true
    }

    mutating func expect(_ character: Character) throws(Failure) {
      guard let byte = character.asciiValue, take(byte) else {
        throw failure("“\(character)” expected")
      }
    }

    mutating func value(depth: Int) throws(Failure) -> StrictJSON {
      guard depth < 64 else { throw failure("nested too deeply") }
      skipSpace()
      switch next {
      case UInt8(ascii: "{"): return try object(depth: depth)
      case UInt8(ascii: "["): return try array(depth: depth)
      case UInt8(ascii: "\""): return .string(try string())
      case UInt8(ascii: "t"): return try word("true", .boolean(true))
      case UInt8(ascii: "f"): return try word("false", .boolean(false))
      case UInt8(ascii: "n"): return try word("null", .null)
      default: return try number()
      }
    }

    mutating func word(_ text: String, _ value: StrictJSON) throws(Failure) -> StrictJSON {
      for byte in text.utf8 where !take(byte) { throw failure("“\(text)” expected") }
      return value
    }

    mutating func object(depth: Int) throws(Failure) -> StrictJSON {
      try expect("{")
      var members: [(key: String, value: StrictJSON)] = []
      var seen: Set<String> = []
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      while true {
        skipSpace()
        let key = try string()
        guard seen.insert(key).inserted else { throw failure("the key “\(key)” comes twice") }
        skipSpace()
        try expect(":")
        members.append((key, try value(depth: depth + 1)))
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(members) }
        try expect(",")
      }
    }

    mutating func array(depth: Int) throws(Failure) -> StrictJSON {
      try expect("[")
      var elements: [StrictJSON] = []
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      while true {
        elements.append(try value(depth: depth + 1))
        skipSpace()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        try expect(",")
      }
    }

    /// −? (0 or digits without a leading 0) (. digits)? (e ±? digits)?
    ///
    /// By hand: headers are full of numbers, and a regular expression takes most of the time that
    /// opening a file does.
    mutating func number() throws(Failure) -> StrictJSON {
      let start = offset
      _ = take(UInt8(ascii: "-"))
      var isSound = take(UInt8(ascii: "0")) || skipDigits()
      var isInteger = true
      if take(UInt8(ascii: ".")) {
        isInteger = false
        isSound = skipDigits() && isSound
      }
      if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
        isInteger = false
        _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
        isSound = skipDigits() && isSound
      }
      if let next, "0123456789+-.eE".utf8.contains(next) { isSound = false }
      let end = offset
      offset = start
      guard isSound else { throw failure("a value expected") }
      let text = String(decoding: bytes[start..<end], as: UTF8.self)
      let result: StrictJSON?
      if isInteger {
        result = Int(text).map { .integer($0) }
      } else {
        result = Double(text).map { .number($0) }
      }
      guard let result else { throw failure("the number \(text) is too large") }
      offset = end
      return result
    }

    /// Skips digits; false if there is none.
    mutating func skipDigits() -> Bool {
      let start = offset
      while let byte = next, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte { offset += 1 }
      return offset > start
    }

    mutating func string() throws(Failure) -> String {
      try expect("\"")
      var units: [UInt8] = []
      while true {
        guard let byte = next else { throw failure("a text without an end") }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""):
          guard let text = String(validating: units, as: UTF8.self) else {
            throw failure("a text that is not UTF-8")
          }
          return text
        case UInt8(ascii: "\\"): units.append(contentsOf: try escape())
        case 0..<0x20: throw failure("a control character in a text")
        default: units.append(byte)
        }
      }
    }

    mutating func escape() throws(Failure) -> [UInt8] {
      guard let byte = next else { throw failure("a text without an end") }
      offset += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
      case UInt8(ascii: "b"): return [0x08]
      case UInt8(ascii: "f"): return [0x0c]
      case UInt8(ascii: "n"): return [0x0a]
      case UInt8(ascii: "r"): return [0x0d]
      case UInt8(ascii: "t"): return [0x09]
      case UInt8(ascii: "u"):
        var code = try hexadecimal()
        if 0xd800..<0xdc00 ~= code {
          guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw failure("half of a surrogate pair")
          }
          let low = try hexadecimal()
          guard 0xdc00..<0xe000 ~= low else { throw failure("half of a surrogate pair") }
          code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
        return [UInt8](String(Character(scalar)).utf8)
      default: throw failure("an unknown escape")
      }
    }

    mutating func hexadecimal() throws(Failure) -> UInt32 {
      var code: UInt32 = 0
      for _ in 0..<4 {
        guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
          throw failure("four hexadecimal digits expected")
        }
        code = code << 4 | UInt32(digit)
        offset += 1
      }
      return code
    }
  }

  /// A text as a JSON string, quotes included.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
