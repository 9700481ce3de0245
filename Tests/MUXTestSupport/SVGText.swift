// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What an XML parser, which knows nothing of how a text was made, finds in it.
public struct XMLCheck {
  /// Whether the text is well-formed XML.
  public let isWellFormed: Bool
  /// How many elements of each name there are.
  public let counts: [String: Int]
  /// The texts, piece by piece.
  public let texts: [String]
  /// The lines of text of an SVG picture that are not turned, moved by the groups that they are in.
  public let placed: [PlacedText]

  /// Reads a text.
  public init(_ text: String) {
    let parser = XMLParser(data: Data(text.utf8))
    let collector = Collector()
    parser.delegate = collector
    isWellFormed = parser.parse()
    counts = collector.counts
    texts = collector.texts
    placed = collector.placed
  }

  private final class Collector: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    var texts: [String] = []
    var placed: [PlacedText] = []
    private var open: [(name: String, attributes: [String: String], text: String)] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      counts[name, default: 0] += 1
      open.append((name, attributes, ""))
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
      texts.append(string)
      if !open.isEmpty { open[open.count - 1].text += string }
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) {
      guard let element = open.popLast(), element.name == "text" else { return }
      guard var text = PlacedText(element.text, element.attributes) else { return }
      for group in open where group.name == "g" {
        guard let match = group.attributes["transform"]?.wholeMatch(of: Self.move) else { continue }
        text.x += Double(match.1) ?? 0
        text.y += Double(match.2) ?? 0
      }
      placed.append(text)
    }

    private static var move: Regex<(Substring, Substring, Substring)> {
      /translate\(([-\d.]+) ([-\d.]+)\)/
    }
  }
}

/// A line of text of a picture, with the room that it takes at least.
public struct PlacedText: Hashable, Sendable {
  /// What it says.
  public var text: String
  /// Its left end.
  public var x: Double
  /// Its upper end.
  public var y: Double
  /// Its width.
  public var width: Double
  /// Its height.
  public var height: Double

  /// Whether two lines cover each other.
  public func overlaps(_ other: PlacedText) -> Bool {
    x < other.x + other.width && other.x < x + width && y < other.y + other.height
      && other.y < y + height
  }

  fileprivate init?(_ text: String, _ attributes: [String: String]) {
    guard attributes["transform"] == nil, let x = Double(attributes["x"] ?? ""),
      let y = Double(attributes["y"] ?? ""), let size = Double(attributes["font-size"] ?? "")
    else { return nil }
    // Narrow estimates of the ink: 0.5 em a letter, 0.7 em high.
    width = Double(text.count) * size * 0.5
    height = size * 0.7
    let anchor = attributes["text-anchor"] ?? "start"
    self.x = anchor == "middle" ? x - width / 2 : anchor == "end" ? x - width : x
    self.y = y - size * 0.7
    self.text = text
  }
}
