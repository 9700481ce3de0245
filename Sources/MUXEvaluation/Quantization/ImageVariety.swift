// SPDX-License-Identifier: Apache-2.0
package import MUXImages

/// Whether images differ from each other at all.
package struct ImageVariety {
  /// The images seen.
  package private(set) var count = 0
  /// Whether all of them hold the same numbers.
  package private(set) var areAlike = true
  private var first: ArraySlice<Float>?

  package init() {}

  /// Takes in the images of a batch.
  package mutating func add(_ batch: PixelBatch) {
    count += batch.count
    guard areAlike else { return }
    let size = batch.values.count / max(batch.count, 1)
    for image in 0..<batch.count {
      let own = batch.values[image * size..<(image + 1) * size]
      let reference = first ?? own
      first = reference
      guard reference.count == own.count, zip(reference, own).allSatisfy({ $0 == $1 }) else {
        areAlike = false
        first = nil
        return
      }
    }
  }
}
