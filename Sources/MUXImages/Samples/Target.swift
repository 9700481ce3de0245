// SPDX-License-Identifier: Apache-2.0
package import MUXCore

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
    /// Boxes.
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

  /// What kind it is.
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

  /// A box of its edges.
  public init(
    label: Int, left: Double, top: Double, right: Double, bottom: Double, isDifficult: Bool = false
  ) {
    self.label = label
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
    self.isDifficult = isDifficult
  }
}

/// An image with what is known about it.
public struct Sample: Sendable, Hashable {
  /// The image.
  public var image: Image
  /// What is known about it.
  public var target: Target

  /// A sample.
  public init(image: Image, target: Target) {
    self.image = image
    self.target = target
  }
}
