// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Another data set with its images kept in memory, as far as a budget allows.
///
/// The images are decoded once, when the cache is made. What does not fit is decoded each time, so the
/// budget changes the speed but never the result; `warnings` says so then. The first steps of a
/// pipeline that draw nothing, such as a change of size, can be taken before images are kept: then
/// they take the memory of what the network needs, or of what is in the file where that is less. Boxes
/// move with the images, those of images that did not fit as well.
public struct CachedDataSet: ImageDataSet {
  /// The data set behind.
  public let base: any ImageDataSet
  /// The steps that every image has been through.
  public let preparation: [ImageTransform]
  /// The most bytes that images may take.
  public let memoryLimit: Int
  /// How many samples are in memory.
  public let cachedCount: Int
  /// Bytes that their images take.
  public let cachedBytes: Int

  private struct Kept: Sendable {
    var image: Image
    var isPrepared: Bool
    var originalSize: ImageSize
  }

  private let images: [Kept?]
  /// The sizes of all images in their files, where boxes move with them; else empty.
  private let sizes: [ImageSize]

  /// Decodes the images of a data set.
  ///
  /// While it works, at most the limit and a few images more are in memory.
  /// - Parameters:
  ///   - base: The data set.
  ///   - memoryLimit: The most bytes to take.
  ///   - preparation: Steps to take before an image is kept; they must draw no random numbers.
  ///   - threads: How many threads decode.
  /// - Throws: The error of the first sample that cannot be decoded or prepared; it names the file.
  public init(
    _ base: any ImageDataSet, memoryLimit: Int = 1 << 30, preparation: [ImageTransform] = [],
    threads: Int = 2
  ) throws {
    precondition(preparation.allSatisfy { !$0.isRandom }, "what is kept must not be random")
    self.base = base
    self.preparation = preparation
    self.memoryLimit = memoryLimit
    let count = base.count
    var images = [Kept?](repeating: nil, count: count)
    var number = 0
    var bytes = 0
    var seen = 0
    var seenBytes = 0
    var sizes: [ImageSize] = []
    while seen < count {
      // As many at once as keep the threads busy, but no more than a few MB beside the cache.
      let first = seen
      let usual = first == 0 ? threads : min(256, max(threads, 4 << 20 / max(1, seenBytes / seen)))
      let group = parallelMap(min(usual, count - first), threads: threads) { offset in
        Result {
          let image = try base.image(at: first + offset)
          let prepared = try Self.prepared(image, preparation, name: base.name(at: first + offset))
          let isPrepared = prepared.pixels.count <= image.pixels.count
          return Kept(
            image: isPrepared ? prepared : image, isPrepared: isPrepared, originalSize: image.size)
        }
      }
      for (offset, result) in group.enumerated() {
        let kept = try result.get()
        let size = kept.image.pixels.count
        sizes.append(kept.originalSize)
        seenBytes += size
        if bytes + size <= memoryLimit {
          images[first + offset] = kept
          number += 1
          bytes += size
        }
      }
      seen += group.count
      // Full: an image of the usual size has no room. A single large one does not end it.
      if memoryLimit - bytes < seenBytes / seen { break }
    }
    self.images = images
    cachedCount = number
    cachedBytes = bytes
    let moves = !preparation.isEmpty && count > 0 && base.target(at: 0).kind == .boxes
    self.sizes =
      try moves ? sizes + Self.sizes(of: base, from: seen, threads: threads) : []
  }

  /// The sizes of the images from one on; they are decoded where nothing else says it.
  private static func sizes(
    of base: any ImageDataSet, from first: Int, threads: Int
  ) throws -> [ImageSize] {
    try parallelMap(base.count - first, threads: threads) { offset in
      Result { try base.storedSize(at: first + offset) ?? base.image(at: first + offset).size }
    }.map { try $0.get() }
  }

  /// The number of samples.
  public var count: Int { base.count }
  /// Those of the data set behind the cache.
  public var classNames: [String] { base.classNames }
  /// The numbers of the classes in the data set behind.
  public var categoryIDs: [Int]? { base.categoryIDs }
  /// The hash of the data set behind.
  public var contentHash: UInt64 { base.contentHash }
  /// What the data set behind leaves out.
  public var leftOut: LeftOut { base.leftOut }
  /// What is known about a sample; boxes are where they are in the prepared image.
  public func target(at index: Int) -> Target {
    let target = base.target(at: index)
    return sizes.isEmpty
      ? target : ImagePipeline.moved(target, of: sizes[index], by: preparation)
  }
  /// The size of a sample's image before it was prepared, where that is known.
  public func storedSize(at index: Int) -> ImageSize? {
    sizes.isEmpty ? images[index]?.originalSize ?? base.storedSize(at: index) : sizes[index]
  }
  /// The stratum of a sample.
  public func stratum(at index: Int) -> Int { base.stratum(at: index) }
  /// What a sample belongs to.
  public func group(at index: Int) -> String? { base.group(at: index) }
  /// The division of the data set behind.
  public var division: String? { base.division }
  /// The name of a sample.
  public func name(at index: Int) -> String { base.name(at: index) }

  /// The warnings of the data set behind, and whether images did not fit.
  public var warnings: [DataSetWarning] {
    base.warnings
      + (cachedCount == count
        ? [] : [.partlyCached(images: cachedCount, of: count, bytes: memoryLimit)])
  }

  /// A sample from memory, or decoded and prepared if it did not fit.
  public func image(at index: Int) throws -> Image {
    let kept = images[index]
    if let kept, kept.isPrepared { return kept.image }
    return try Self.prepared(
      kept?.image ?? base.image(at: index), preparation, name: base.name(at: index))
  }

  /// A sample whose boxes are where they are in the prepared image.
  public func sample(at index: Int) throws -> Sample {
    let target = target(at: index)
    guard !preparation.isEmpty else { return Sample(image: try image(at: index), target: target) }
    let kept = images[index]
    let image = try kept?.image ?? base.image(at: index)
    let prepared =
      try kept?.isPrepared == true
      ? image : Self.prepared(image, preparation, name: base.name(at: index))
    return Sample(
      image: prepared, target: target, originalSize: kept?.originalSize ?? image.size)
  }

  private static func prepared(
    _ image: Image, _ preparation: [ImageTransform], name: @autoclosure () -> String
  ) throws(LoaderError) -> Image {
    guard !preparation.isEmpty else { return image }
    do throws(ImageError) {
      return try ImagePipeline.prepared(image, by: preparation)
    } catch {
      throw .transform(name: name(), error: error)
    }
  }
}
