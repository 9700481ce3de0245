// SPDX-License-Identifier: Apache-2.0
package import MUXCore
package import MUXImages
package import MUXTasks

/// The objects of a data set as a network sees them: in shares of the prepared image.
package struct PreparedObjects {
  /// The objects of each class, crowds left out.
  package var boxes: [[BoundingBox]]
  /// Those that the data calls difficult, by class.
  package var difficult: [Int]
  /// Images without objects.
  package var emptyImages = 0
  /// The most objects in one image.
  package var mostObjects = 0
  package let classNames: [String]

  /// - Parameters:
  ///   - dataSet: The images; nil comes of a data set without boxes.
  ///   - imageSize: The size of prepared images.
  ///   - isLetterboxed: Whether images keep their aspect; else they are stretched.
  ///   - size: The size of an image by its number; objects of images whose size is not known are passed
  ///     over.
  package init?(
    _ dataSet: any ImageDataSet, imageSize: ImageSize, isLetterboxed: Bool,
    size: (Int) throws -> ImageSize?
  ) rethrows {
    guard dataSet.count > 0, dataSet.target(at: 0).kind == .boxes else { return nil }
    classNames = dataSet.classNames
    boxes = [[BoundingBox]](repeating: [], count: classNames.count)
    difficult = [Int](repeating: 0, count: classNames.count)
    let resizing = ImagePipeline(
      transforms: [
        isLetterboxed
          ? .letterbox(Letterbox(size: imageSize)) : .resize(Resize(size: imageSize))
      ], mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    for index in 0..<dataSet.count {
      guard case .boxes(let own) = dataSet.target(at: index) else { continue }
      if own.isEmpty { emptyImages += 1 }
      mostObjects = max(mostObjects, own.count)
      guard let size = try size(index), let motion = resizing.motion(of: size) else { continue }
      for box in own where !box.isCrowd && boxes.indices.contains(box.label) {
        guard let moved = motion.apply(to: box, in: imageSize) else { continue }
        boxes[box.label].append(
          BoundingBox(
            left: moved.left / Double(imageSize.width), top: moved.top / Double(imageSize.height),
            right: moved.right / Double(imageSize.width),
            bottom: moved.bottom / Double(imageSize.height)))
        if box.isDifficult { difficult[box.label] += 1 }
      }
    }
  }
}
