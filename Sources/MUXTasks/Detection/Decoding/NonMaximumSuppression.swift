// SPDX-License-Identifier: Apache-2.0

/// Of boxes that overlap much, keeps the one of the greatest score.
public enum NonMaximumSuppression {
  /// The boxes that are kept, best first.
  ///
  /// A box goes if it overlaps one that is kept by more than the threshold; one that went removes no other.
  /// Of equal scores the first box comes first. Boxes without area overlap nothing.
  public static func kept(
    _ boxes: [BoundingBox], scores: [Float], threshold: Double
  ) -> [Int] {
    precondition(boxes.count == scores.count, "a score for each box")
    var kept: [Int] = []
    let order = scores.indices.sorted {
      scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1
    }
    for index in order
    where !kept.contains(where: { boxes[$0].overlap(boxes[index]) > threshold }) {
      kept.append(index)
    }
    return kept
  }
}
