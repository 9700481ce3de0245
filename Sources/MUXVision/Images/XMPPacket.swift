// SPDX-License-Identifier: Apache-2.0
import MUXImages

/// What programs that edit pictures write beside them, as XML.
enum XMPPacket {
  /// What stands before it in JPEG's segment.
  static let nameInJPEG = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
  /// What stands before it in PNG's text.
  static let nameInPNG = Array("XML:com.adobe.xmp\0".utf8)

  private static let property = Array("tiff:Orientation".utf8)

  /// The orientation in a packet: the first attribute or element `tiff:Orientation` that has a digit. Nothing
  /// else of the XML is looked at, and each byte a few times at most.
  static func orientation(in packet: ArraySlice<UInt8>) -> ImageOrientation? {
    var position = packet.startIndex
    while packet.endIndex - position > property.count {
      guard packet[position] == property[0], packet[position...].starts(with: property) else {
        position += 1
        continue
      }
      position += property.count
      guard let digit = value(at: packet[position...]) else { continue }
      return ImageOrientation(rawValue: digit)
    }
    return nil
  }

  /// The digit of `="6"`, `='6'` or `>6<`, perhaps with white space between; nil where there is none, or more
  /// than one.
  private static func value(at text: ArraySlice<UInt8>) -> UInt8? {
    var rest = text
    func next() -> Character? {
      rest = rest.drop { " \t\r\n".utf8.contains($0) }
      return rest.popFirst().map { Character(UnicodeScalar($0)) }
    }
    let first = next()
    if first == "=" {
      guard let quote = next(), ["\"", "'"].contains(quote) else { return nil }
    } else if first != ">" {
      return nil
    }
    guard let digit = next(), digit.isASCII, let number = digit.wholeNumberValue,
      let end = next(), ["\"", "'", "<"].contains(end)
    else { return nil }
    return UInt8(number)
  }
}
