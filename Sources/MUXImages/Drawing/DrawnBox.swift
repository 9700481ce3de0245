// SPDX-License-Identifier: Apache-2.0

/// A box that is drawn into a picture.
public struct DrawnBox: Sendable, Hashable {
  /// Where it is, in pixels, and of which class, which gives it its colour.
  public var box: LabeledBox
  /// What stands above it.
  public var text: String

  /// A box with a text.
  public init(_ box: LabeledBox, text: String) {
    self.box = box
    self.text = text
  }

  /// The colour of a class: neighbours differ much, and none is so dark or so light that it goes under.
  public static func color(ofClass label: Int) -> [UInt8] {
    // Steps of the golden section spread hues evenly, however many there are.
    let turn = Double(label) * 0.618_033_988_75
    let hue = 6 * (turn - turn.rounded(.down))
    return [0.0, 4, 2].map { shift in
      let place = (hue + shift).truncatingRemainder(dividingBy: 6)
      let share = min(max(abs(place - 3) - 1, 0), 1)
      return UInt8(50 + 190 * share)
    }
  }
}

extension Image {
  /// The image in colours with boxes drawn into it, the first above the others: a frame of the class's
  /// colour with a dark line around it, and its text on a ground of the same colour.
  public func drawing(_ boxes: [DrawnBox]) -> Image {
    var canvas = Canvas(self)
    // Lines and letters grow with the picture.
    let scale = max(1, Int((Double(min(width, height)) / 300).rounded()))
    for drawn in boxes.reversed() { canvas.draw(drawn, scale: scale) }
    return canvas.image
  }
}

extension Canvas {
  fileprivate mutating func draw(_ drawn: DrawnBox, scale: Int) {
    let box = drawn.box
    func place(_ edge: Double, _ side: Int) -> Int {
      edge.isNaN ? 0 : Int(min(max(edge, 0), Double(side)).rounded())
    }
    let (left, top) = (place(box.left, width), place(box.top, height))
    let xs = left..<max(left + 1, place(box.right, width))
    let ys = top..<max(top + 1, place(box.bottom, height))
    let color = DrawnBox.color(ofClass: box.label)
    frame(xs, ys, thickness: 3 * scale, [0, 0, 0])
    frame(xs, ys, thickness: 2 * scale, color)
    guard !drawn.text.isEmpty else { return }
    let textWidth = (drawn.text.count * (SmallFont.width + 1) + 3) * scale
    let textHeight = (SmallFont.height + 4) * scale
    // Above the box where there is room, else in it.
    let x = max(0, min(left, width - textWidth))
    let y = top >= textHeight ? top - textHeight : top
    fill(x..<x + textWidth, y..<y + textHeight, color)
    let ink: [UInt8] = luma(color[0], color[1], color[2]) > 120 ? [0, 0, 0] : [255, 255, 255]
    write(drawn.text, x: x + 2 * scale, y: y + 2 * scale, scale: scale, ink)
  }
}
