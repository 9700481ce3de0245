// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// Another data set with its decoded images kept in memory, packed in one buffer.
///
/// The images are decoded once, when the cache is made. What does not fit in the memory limit is
/// decoded each time, so the limit changes the speed but never the result.
public struct CachedDataSet: ImageDataSet {
  /// The data set behind.
  public let base: any ImageDataSet
  /// How many samples are in memory: the first ones.
  public var cachedCount: Int { places.count }
  /// Bytes that the decoded images take.
  public var cachedBytes: Int { pixels.count }

  private struct Place: Sendable {
    var offset: Int
    var width: Int32
    var height: Int32
    var channels: Int32
  }

  private let places: [Place]
  private let pixels: [UInt8]

  /// Decodes the images of a data set.
  /// - Parameters:
  ///   - base: The data set.
  ///   - memoryLimit: The most bytes to take.
  ///   - threads: How many threads decode.
  /// - Throws: The error of the first sample that cannot be decoded; it names the file.
  public init(_ base: any ImageDataSet, memoryLimit: Int = 1 << 30, threads: Int = 2) throws {
    var places: [Place] = []
    var pixels: [UInt8] = []
    let count = base.count
    places.reserveCapacity(count)
    var isFull = false
    while places.count < count && !isFull {
      let first = places.count
      let images = parallelMap(min(256, count - first), threads: threads) { index in
        Result { try base.image(at: first + index) }
      }
      if first == 0, let image = try? images.first?.get() {
        // Most data sets have images of one size.
        pixels.reserveCapacity(min(memoryLimit, image.pixels.count * count))
      }
      for image in images {
        let image = try image.get()
        guard pixels.count + image.pixels.count <= memoryLimit else {
          isFull = true
          break
        }
        places.append(
          Place(
            offset: pixels.count, width: Int32(image.width), height: Int32(image.height),
            channels: Int32(image.channels)))
        pixels += image.pixels
      }
    }
    self.base = base
    self.places = places
    self.pixels = pixels
  }

  /// The number of samples.
  public var count: Int { base.count }
  /// The classes.
  public var classNames: [String] { base.classNames }
  /// The warnings of the data set behind.
  public var warnings: [DataSetWarning] { base.warnings }
  /// The hash of the data set behind.
  public var contentHash: UInt64 { base.contentHash }
  /// What the data set behind leaves out.
  public var leftOut: LeftOut { base.leftOut }
  /// The label of a sample.
  public func label(at index: Int) -> Int { base.label(at: index) }
  /// The name of a sample.
  public func name(at index: Int) -> String { base.name(at: index) }

  /// A sample from memory, or decoded if it did not fit.
  public func image(at index: Int) throws -> Image {
    guard index < places.count else { return try base.image(at: index) }
    let place = places[index]
    return Image(
      width: Int(place.width), height: Int(place.height), channels: Int(place.channels)
    ) { target in
      pixels.withUnsafeBufferPointer { source in
        if let start = source.baseAddress {
          target.update(
            from: start + place.offset,
            count: Int(place.width) * Int(place.height) * Int(place.channels))
        }
      }
    }
  }
}
