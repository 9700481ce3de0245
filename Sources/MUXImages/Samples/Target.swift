// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What is known about an image: what a network is to say about it.
///
/// Classes are indices into the data set's `classNames`. Boxes are in pixels of the image that they
/// belong to, and move with it.
public enum Target: Sendable, Hashable, Codable {
  /// It is of one class.
  case label(Int)
  /// It is of any number of classes, also none.
  case labels(Set<Int>)
  /// It shows things, each in a box.
  case boxes([LabeledBox])

  /// The kinds of target.
  public enum Kind: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
    /// One class.
    case label
    /// Any number of classes.
    case labels
    /// Any number of boxes with a class each.
    case boxes

    /// In words.
    public var description: String {
      switch self {
      case .label: "one class"
      case .labels: "a set of classes"
      case .boxes: "boxes"
      }
    }
  }

  /// Which of the kinds it is; a task takes targets of one kind.
  public var kind: Kind {
    switch self {
    case .label: .label
    case .labels: .labels
    case .boxes: .boxes
    }
  }

  /// The classes that occur, each once, ascending.
  public var classes: [Int] {
    switch self {
    case .label(let label): [label]
    case .labels(let labels): labels.sorted()
    case .boxes(let boxes): Set(boxes.map(\.label)).sorted()
    }
  }

  /// Adds the target to a hash of a data set; one class is its number alone.
  package func add(to hash: inout StableHash) {
    switch self {
    case .label(let label): hash.add(label)
    case .labels(let labels):
      hash.add(labels.count)
      for label in labels.sorted() { hash.add(label) }
    case .boxes(let boxes):
      hash.add(boxes.count)
      for box in boxes {
        hash.add(box.label)
        for edge in [box.left, box.top, box.right, box.bottom] { hash.add(edge.bitPattern) }
        hash.add(box.isDifficult ? 1 : 0)
        if box.isCrowd { hash.add("crowd") }
        if let area = box.area { hash.add(area.bitPattern) }
      }
    }
  }
}

/// A thing in an image: its class and the rectangle that it fills, in pixels, corners as they lie
/// between pixels (a box over the whole image is 0, 0, width, height).
public struct LabeledBox: Sendable, Hashable, Codable {
  /// The class.
  public var label: Int
  /// The left edge.
  public var left: Double
  /// The upper edge.
  public var top: Double
  /// The right edge.
  public var right: Double
  /// The lower edge.
  public var bottom: Double
  /// Whether the data set calls it hard to recognise: evaluations leave it out.
  public var isDifficult: Bool
  /// Whether the box has many things in it, which the data set does not tell apart: nothing is learned
  /// from it, and evaluations take no detection in it for wrong.
  public var isCrowd: Bool
  /// The area of the thing itself in square pixels, where the data set says it; nil for that of the box.
  public var area: Double?

  /// A box of its edges.
  public init(
    label: Int, left: Double, top: Double, right: Double, bottom: Double, isDifficult: Bool = false,
    isCrowd: Bool = false, area: Double? = nil
  ) {
    self.label = label
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
    self.isDifficult = isDifficult
    self.isCrowd = isCrowd
    self.area = area
  }

  private enum CodingKeys: String, CodingKey {
    case label, left, top, right, bottom, isDifficult, isCrowd, area
  }

  /// Reads a box; whether it is a crowd, and the area, may be left out.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      label: try values.decode(Int.self, forKey: .label),
      left: try values.decode(Double.self, forKey: .left),
      top: try values.decode(Double.self, forKey: .top),
      right: try values.decode(Double.self, forKey: .right),
      bottom: try values.decode(Double.self, forKey: .bottom),
      isDifficult: try values.value(.isDifficult, default: false),
      isCrowd: try values.value(.isCrowd, default: false),
      area: try values.decodeIfPresent(Double.self, forKey: .area))
  }
}

/// An image with what is known about it.
public struct Sample: Sendable, Hashable {
  /// The image.
  public var image: Image
  /// What is known about it.
  public var target: Target
  /// The size of the image before anything was done to it.
  public var originalSize: ImageSize

  /// A sample; its original size is that of the image unless given.
  public init(image: Image, target: Target, originalSize: ImageSize? = nil) {
    self.image = image
    self.target = target
    self.originalSize = originalSize ?? image.size
  }
}
