// SPDX-License-Identifier: Apache-2.0

/// Pictures in rows, each with its boxes and a line of text below: for a look at many at once.
public struct ContactSheet: Sendable, Hashable {
  /// One picture.
  public struct Cell: Sendable, Hashable {
    /// The picture.
    public var image: Image
    /// What is drawn into it, in its pixels.
    public var boxes: [DrawnBox]
    /// What stands below it, cut off where it is too long.
    public var caption: String

    /// A picture with boxes and a caption.
    public init(_ image: Image, boxes: [DrawnBox] = [], caption: String = "") {
      self.image = image
      self.boxes = boxes
      self.caption = caption
    }
  }

  /// The pictures, in reading order.
  public var cells: [Cell]
  /// Pictures in a row.
  public var columns: Int
  /// The longer side of a picture on the sheet, in pixels. Small ones are enlarged by whole numbers, so
  /// that their pixels can be counted; larger ones are made smaller.
  public var side: Int

  private static let gap = 6
  private static let paper: UInt8 = 255
  private static let ink: [UInt8] = [40, 40, 40]

  /// A sheet; it has at least one picture.
  public init(_ cells: [Cell], columns: Int = 8, side: Int = 192) {
    precondition(!cells.isEmpty && columns > 0 && side > 0, "a sheet has pictures")
    self.cells = cells
    self.columns = min(columns, cells.count)
    self.side = side
  }

  /// The sheet as one picture.
  public var image: Image {
    let pictures = cells.map(picture)
    let cellWidth = pictures.reduce(1) { max($0, $1.width) }
    let cellHeight = pictures.reduce(1) { max($0, $1.height) }
    let scale = max(1, side / 128)
    let isCaptioned = cells.contains { !$0.caption.isEmpty }
    let line = isCaptioned ? (SmallFont.height + 3) * scale : 0
    let rows = (cells.count + columns - 1) / columns
    let (stepX, stepY) = (cellWidth + Self.gap, cellHeight + line + Self.gap)
    var canvas = Canvas(
      Image(
        width: columns * stepX + Self.gap, height: rows * stepY + Self.gap,
        color: [Self.paper, Self.paper, Self.paper]))
    let letters = max(1, cellWidth / ((SmallFont.width + 1) * scale))
    for (index, picture) in pictures.enumerated() {
      let x = Self.gap + index % columns * stepX
      let y = Self.gap + index / columns * stepY
      canvas.put(picture, x: x, y: y)
      let text = cells[index].caption
      canvas.write(
        text.count > letters ? text.prefix(letters - 1) + "." : text, x: x,
        y: y + cellHeight + 2 * scale, scale: scale, Self.ink)
    }
    return canvas.image
  }

  /// A picture at its size on the sheet, with its boxes.
  private func picture(_ cell: Cell) -> Image {
    let longer = max(cell.image.width, cell.image.height)
    let factor =
      longer <= side ? Double(side / longer) : Double(side) / Double(longer)
    let width = max(1, Int((Double(cell.image.width) * factor).rounded()))
    let height = max(1, Int((Double(cell.image.height) * factor).rounded()))
    let shown =
      factor == 1
      ? cell.image
      : cell.image.resized(
        width: width, height: height, interpolation: factor > 1 ? .nearest : .bilinear)
    guard !cell.boxes.isEmpty else { return shown }
    return shown.drawing(
      cell.boxes.map { drawn in
        var moved = drawn
        moved.box.left *= Double(width) / Double(cell.image.width)
        moved.box.right *= Double(width) / Double(cell.image.width)
        moved.box.top *= Double(height) / Double(cell.image.height)
        moved.box.bottom *= Double(height) / Double(cell.image.height)
        return moved
      })
  }
}
