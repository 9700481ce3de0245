// SPDX-License-Identifier: Apache-2.0

/// What the default boxes of an image are to learn.
public struct DetectionTargets: Sendable, Hashable {
  /// The class of each default box; 0 is the background, the classes begin at 1.
  public var labels: [Int]
  /// The offsets of each default box's object, four numbers; 0 for background.
  public var offsets: [Float]

  /// The default boxes that have an object.
  public var positives: Int { labels.count { $0 > 0 } }

  /// Targets that are known already.
  public init(labels: [Int], offsets: [Float]) {
    precondition(offsets.count == 4 * labels.count, "four offsets for each default box")
    self.labels = labels
    self.offsets = offsets
  }

  /// Finds the object of each default box.
  ///
  /// - Parameters:
  ///   - objects: The objects with their classes from 0, in shares of the image. Those without an area
  ///     are passed over: they have no logarithm.
  ///   - priors: The default boxes.
  ///   - edges: Their edges (those of ``PriorBoxes``), worked out once for many images.
  ///   - matching: Which default box learns which object.
  ///   - coding: How boxes become offsets.
  package init(
    _ objects: [(label: Int, box: BoundingBox)], priors: PriorBoxes, edges: [BoundingBox],
    matching: PriorMatching, coding: BoxCoding
  ) {
    let objects = objects.filter { $0.box.width > 0 && $0.box.height > 0 }
    labels = [Int](repeating: 0, count: edges.count)
    offsets = [Float](repeating: 0, count: 4 * edges.count)
    for (index, match) in matching.objects(of: edges, objects.map(\.box)).enumerated() {
      guard let match else { continue }
      labels[index] = objects[match].label + 1
      let values = coding.encoded(objects[match].box, from: priors, index)
      for place in 0..<4 { offsets[4 * index + place] = Float(values[place]) }
    }
  }
}
