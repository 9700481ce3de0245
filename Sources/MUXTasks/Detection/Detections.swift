// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// What is said about one image in which things were looked for.
public struct Detections: TaskOutput, Codable, Hashable {
  /// One thing.
  public struct Box: Codable, Hashable, Sendable {
    /// The class's name.
    public var label: String
    /// Its place among the classes, from 0.
    public var index: Int
    /// The probability of the class, 0…1.
    public var probability: Double
    /// The left edge in pixels of the image; edges lie between pixels.
    public var left: Double
    /// The upper edge.
    public var top: Double
    /// The right edge.
    public var right: Double
    /// The lower edge.
    public var bottom: Double

    /// The box without its class.
    public var box: BoundingBox {
      BoundingBox(left: left, top: top, right: right, bottom: bottom)
    }
  }

  /// The things, most likely first.
  public var boxes: [Box]
  /// The image's width in pixels.
  public var width: Int
  /// The image's height in pixels.
  public var height: Int

  /// The things in frames, with their classes and probabilities.
  public var drawnBoxes: [DrawnBox]? {
    boxes.map { box in
      DrawnBox(
        LabeledBox(
          label: box.index, left: box.left, top: box.top, right: box.right, bottom: box.bottom),
        text: "\(box.label) \(Int((100 * box.probability).rounded()))%")
    }
  }

  /// The things with their probabilities and places.
  public var text: String {
    guard !boxes.isEmpty else { return "nothing found" }
    let metric = Metric("probability", unit: "%", direction: .higher, format: .percent(decimals: 1))
    return boxes.map { box in
      let edges = [box.left, box.top, box.right, box.bottom].map { "\(Int($0.rounded()))" }
      return "\(box.label) \(metric.text(box.probability))"
        + " at (\(edges[0]), \(edges[1]))–(\(edges[2]), \(edges[3]))"
    }.joined(separator: ", ")
  }
}
