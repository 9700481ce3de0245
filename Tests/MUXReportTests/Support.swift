// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXReport

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Checks that text is well-formed XML, and counts its elements.
final class XMLCheck: NSObject, XMLParserDelegate {
  private(set) var counts: [String: Int] = [:]
  private(set) var texts: [String] = []
  let isWellFormed: Bool

  init(_ text: String) {
    let parser = XMLParser(data: Data(text.utf8))
    let collector = Collector()
    parser.delegate = collector
    isWellFormed = parser.parse()
    counts = collector.counts
    texts = collector.texts
  }

  private final class Collector: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var texts: [String] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      counts[name, default: 0] += 1
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { texts.append(string) }
  }
}

/// A line of text of a picture, with the room that it is given.
struct PlacedText {
  let text: String
  let x: Double
  let y: Double
  let width: Double
  let height: Double

  func overlaps(_ other: PlacedText) -> Bool {
    x < other.x + other.width && other.x < x + width && y < other.y + other.height
      && other.y < y + height
  }

  /// All lines of a picture that are not turned, moved by the groups that they are in.
  static func all(in picture: SVGPicture) -> [PlacedText] {
    collect(picture.root, dx: 0, dy: 0)
  }

  private static func collect(_ element: SVGElement, dx: Double, dy: Double) -> [PlacedText] {
    var (dx, dy) = (dx, dy)
    if element.name == "g", let transform = element["transform"],
      let match = transform.wholeMatch(of: /translate\(([-\d.]+) ([-\d.]+)\)/)
    {
      dx += Double(match.1) ?? 0
      dy += Double(match.2) ?? 0
    }
    var found = element.children.flatMap { collect($0, dx: dx, dy: dy) }
    if element.name == "text", element["transform"] == nil, let x = Double(element["x"] ?? ""),
      let y = Double(element["y"] ?? ""), let size = Double(element["font-size"] ?? "")
    {
      // Narrow estimates of the ink: 0.5 em a letter, 0.7 em high.
      let width = Double(element.text.count) * size * 0.5
      let anchor = element["text-anchor"] ?? "start"
      let left = anchor == "middle" ? x - width / 2 : anchor == "end" ? x - width : x
      found.append(
        PlacedText(
          text: element.text, x: left + dx, y: y + dy - size * 0.7, width: width,
          height: size * 0.7))
    }
    return found
  }
}
