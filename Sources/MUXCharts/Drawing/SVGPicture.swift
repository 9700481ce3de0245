// SPDX-License-Identifier: Apache-2.0

/// A finished picture: elements on paper of a fixed size, with a title and a description for people
/// who cannot see it. Readable on light and dark screens without anything outside of the file.
public struct SVGPicture: Sendable, Hashable {
  /// The width in pixels.
  public var width: Double
  /// The height in pixels.
  public var height: Double
  /// What the picture is, in a few words.
  public var title: String
  /// What it shows, in a sentence or two.
  public var summary: String
  /// The elements, later ones above earlier ones.
  public var elements: [SVGElement]

  /// A picture.
  public init(
    width: Double, height: Double, title: String, summary: String, elements: [SVGElement]
  ) {
    self.width = width
    self.height = height
    self.title = title
    self.summary = summary
    self.elements = elements
  }

  /// The root element.
  public var root: SVGElement {
    var root = SVGElement(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": width.coordinate,
        "height": height.coordinate,
        "viewBox": "0 0 \(width.coordinate) \(height.coordinate)", "role": "img",
        "font-family": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
      ])
    let label = summary.isEmpty ? title : "\(title). \(summary)"
    root["aria-label"] = label
    root.children = [
      SVGElement("title", text: title), SVGElement("desc", text: summary),
      SVGElement("style", text: Shade.styleSheet),
      SVGElement.rectangle(Box(x: 0, y: 0, width: width, height: height)).filled(.paper),
    ]
    root.children += elements
    return root
  }

  /// The picture as the text of an SVG file.
  public var svg: String { root.xml + "\n" }
}
