// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// What decoding every sample of a data set showed.
public struct DataCheck: Sendable, Hashable, Codable {
  /// A sample that cannot be decoded.
  public struct BrokenSample: Sendable, Hashable, Codable {
    /// Its index in the data set.
    public var index: Int
    /// The path of its file, or its place in one.
    public var name: String
    /// Why it cannot be decoded.
    public var reason: String
  }

  /// A class with its number of samples.
  public struct ClassCount: Sendable, Hashable, Codable {
    /// The class, as its folder or the list has it.
    public var name: String
    /// All samples of the class.
    public var samples: Int
    /// Those that cannot be decoded.
    public var broken: Int
  }

  /// Samples looked at.
  public var samples: Int
  /// The classes in the order of their labels.
  public var classes: [ClassCount]
  /// Samples that cannot be decoded, in the order of the data set.
  public var broken: [BrokenSample]
  /// Least width and least height of all images; nil if none could be decoded.
  public var smallest: ImageSize? {
    get { least?.size }
    set { least = newValue.map(SizeSetting.init) }
  }
  /// Greatest width and greatest height of all images; nil if none could be decoded.
  public var largest: ImageSize? {
    get { greatest?.size }
    set { greatest = newValue.map(SizeSetting.init) }
  }
  /// Images of one channel.
  public var greyImages: Int
  /// Bytes that all images would take decoded, as a cache holds them.
  public var decodedBytes: Int
  /// Things that are allowed but probably not meant.
  public var warnings: [String]
  /// What lies beside the samples and is left out.
  public var leftOut: [LeftOut.Group]

  /// Samples whose pixels are those of an earlier sample of this data set.
  public var duplicates: Int
  /// A hash of the pixels of each sample; 0 for broken ones. Not part of what is encoded.
  public private(set) var pixelHashes: [UInt64] = []
  /// The size of each image; nil for broken ones. Not part of what is encoded.
  public private(set) var sizes: [ImageSize?] = []

  private var least: SizeSetting?
  private var greatest: SizeSetting?

  private enum CodingKeys: String, CodingKey {
    case samples, classes, broken, greyImages, decodedBytes, warnings, leftOut, duplicates
    case least = "smallest"
    case greatest = "largest"
  }

  private struct Finding: Sendable {
    var width = 0
    var height = 0
    var channels = 0
    var hash: UInt64 = 0
    var reason: String?
  }

  /// Decodes every sample.
  /// - Parameters:
  ///   - dataSet: The data set.
  ///   - threads: How many threads decode.
  ///   - progress: Called now and then with the number of samples done, on the calling thread.
  public init(
    _ dataSet: any ImageDataSet, threads: Int = 2, progress: (Int) -> Void = { _ in }
  ) {
    var classes = dataSet.classNames.map { ClassCount(name: $0, samples: 0, broken: 0) }
    samples = dataSet.count
    broken = []
    greyImages = 0
    duplicates = 0
    decodedBytes = 0
    warnings = dataSet.warnings.map(\.description)
    leftOut = dataSet.leftOut.groups
    var first = 0
    while first < dataSet.count {
      let start = first
      let findings = parallelMap(min(512, dataSet.count - start), threads: threads) { offset in
        do {
          let image = try dataSet.image(at: start + offset)
          return Finding(
            width: image.width, height: image.height, channels: image.channels,
            hash: Self.hash(of: image))
        } catch {
          return Finding(reason: "\(error)")
        }
      }
      for (offset, finding) in findings.enumerated() {
        let index = start + offset
        let labels = dataSet.target(at: index).classes
        for label in labels { classes[label].samples += 1 }
        pixelHashes.append(finding.hash)
        sizes.append(
          finding.reason == nil ? ImageSize(height: finding.height, width: finding.width) : nil)
        if let reason = finding.reason {
          for label in labels { classes[label].broken += 1 }
          let name = dataSet.name(at: index)
          // Errors begin with the name, which stands beside the reason already.
          broken.append(
            BrokenSample(
              index: index, name: name,
              reason: reason.hasPrefix("\(name): ")
                ? String(reason.dropFirst(name.count + 2)) : reason))
        } else {
          least = SizeSetting(
            ImageSize(
              height: min(least?.size.height ?? .max, finding.height),
              width: min(least?.size.width ?? .max, finding.width)))
          greatest = SizeSetting(
            ImageSize(
              height: max(greatest?.size.height ?? 0, finding.height),
              width: max(greatest?.size.width ?? 0, finding.width)))
          if finding.channels == 1 { greyImages += 1 }
          decodedBytes += finding.width * finding.height * finding.channels
        }
      }
      first += findings.count
      progress(first)
    }
    self.classes = classes
    findDuplicates(in: dataSet)
  }

  /// Counts the images that are also in another data set, such as that of the training, and warns
  /// of them.
  public mutating func compare(
    _ dataSet: any ImageDataSet, with other: DataCheck, named name: String
  ) {
    let known = Set(other.pixelHashes)
    let shared = pixelHashes.indices.filter {
      pixelHashes[$0] != 0 && known.contains(pixelHashes[$0])
    }
    guard let first = shared.first else { return }
    warnings.append(
      "\(shared.count) of \(samples) images are also in \(name.printable), such as"
        + " \(dataSet.name(at: first).printable): scores on them say little")
  }

  private mutating func findDuplicates(in dataSet: any ImageDataSet) {
    var firsts: [UInt64: Int] = [:]
    var conflicts = 0
    var example: (Int, Int)?
    for (index, hash) in pixelHashes.enumerated() where hash != 0 {
      guard let first = firsts[hash] else {
        firsts[hash] = index
        continue
      }
      duplicates += 1
      if dataSet.target(at: first) != dataSet.target(at: index) {
        conflicts += 1
        if example == nil { example = (first, index) }
      }
    }
    if let (first, second) = example {
      warnings.append(
        "\(conflicts) image\(conflicts == 1 ? " is" : "s are") in several classes, such as"
          + " \(dataSet.name(at: first).printable) and \(dataSet.name(at: second).printable)")
    }
  }

  private static func hash(of image: Image) -> UInt64 {
    var hash = StableHash()
    hash.add(image.width)
    hash.add(image.height)
    image.pixels.withUnsafeBytes { hash.add($0) }
    return max(hash.value, 1)
  }
}
