// SPDX-License-Identifier: Apache-2.0
public import Foundation
import MUXCore
import MUXNetworkFiles
public import MUXNetworks
import Yams

/// The paper's stage-wise search space (section 5.1) as data: what may vary, and what stays.
///
/// A network has a stem, first blocks of the stem's width, stages (a reduction block, then normal MUX
/// blocks that share their settings), a tail block and a head. Every list is one gene; a list with
/// one choice is no decision but keeps its place in the genome.
public struct NetworkSpace: Sendable, Hashable {
  /// One stage: blocks of the same width, the first of which may reduce the resolution.
  public struct Stage: Sendable, Hashable, Codable {
    /// The stage's name, the prefix of its genes.
    public var name: String
    /// The step of the reduction block in pixels.
    public var stride: Int
    /// The non-linearity's letters as in block strings: `re`, `r6`, `sw`, `hs`.
    public var activation: String
    /// Output channels.
    public var width: [Int]
    /// Kernel sizes of the reduction block, mixed ones joined by dots: `3.5.7`.
    public var reductionKernels: [String]
    /// Expansion ratios of the reduction block.
    public var reductionExpansion: [Double]
    /// Kernel sizes of the normal blocks.
    public var kernel: [Int]
    /// Expansion ratios of the normal blocks.
    public var expansion: [Double]
    /// How many normal blocks.
    public var repeats: [Int]
    /// Leave-out ratios of the normal blocks (channel multiplexing).
    public var leaveOut: [Double]
    /// Scales of spatial multiplexing, such as `-1.0.0.1`; `none` for a group-wise convolution.
    public var multiplexing: [String]
    /// Channels in a group where space is not multiplexed; 2 unless given.
    public var groupWidth: Int = 2
    /// Squeeze-and-excitation ratio; 0.75 unless given.
    public var squeeze: Double = 0.75
  }

  /// The block before the head.
  public struct Tail: Sendable, Hashable, Codable {
    /// The non-linearity's letters.
    public var activation: String
    /// Kernel sizes.
    public var kernel: [Int]
    /// Output channels.
    public var width: [Int]
    /// Expansion ratios.
    public var expansion: [Double]
    /// Squeeze-and-excitation ratio; 0.75 unless given.
    public var squeeze: Double = 0.75
  }

  /// Limits that a network has to keep, checked before it is evaluated; nil for none.
  public struct Constraints: Sendable, Hashable, Codable {
    /// The most parameters.
    public var maximumParameters: Int?
    /// The most multiply-adds.
    public var maximumMultiplyAdds: Int?
    /// The most milliseconds for one image, by the measure that ``NetworkDomain`` is given.
    public var maximumLatency: Double?

    /// Limits; none unless given.
    public init(
      maximumParameters: Int? = nil, maximumMultiplyAdds: Int? = nil,
      maximumLatency: Double? = nil
    ) {
      self.maximumParameters = maximumParameters
      self.maximumMultiplyAdds = maximumMultiplyAdds
      self.maximumLatency = maximumLatency
    }
  }

  /// The space's name.
  public var name: String
  /// The channels of the images.
  public var inputChannels = 3
  /// The side of the images in pixels.
  public var inputSize: Int
  /// The outputs of every network of the space.
  public var classes: Int
  /// Output channels of the stem.
  public var stem: [Int]
  /// The step of the stem in pixels.
  public var stemStride = 2
  /// Blocks after the stem, of its width, as block strings without channels.
  public var first: [String] = []
  /// The stages, from the input to the output.
  public var stages: [Stage]
  /// The block before the head, nil for none.
  public var tail: Tail?
  /// Features of the head; 0 for no head.
  public var head: [Int]
  /// How the head follows a width multiplier.
  public var headWidth = Architecture.HeadWidth.fixed
  /// The dropout rate before the classifier.
  public var dropoutRate = 0.0
  /// Limits.
  public var constraints = Constraints()

  /// The names of the spaces that come with the package.
  public static let shipped = ["imagenet", "small", "digits"]

  /// A space that comes with the package: `imagenet` (the paper's), `small` (32×32), `digits` (8×8).
  ///
  /// - Throws: ``SearchError/space(path:reason:)`` for another name.
  public static func named(_ name: String) throws(SearchError) -> NetworkSpace {
    let bytes: [UInt8]
    switch name {
    case "imagenet": bytes = PackageResources.imagenet_yaml
    case "small": bytes = PackageResources.small_yaml
    case "digits": bytes = PackageResources.digits_yaml
    default:
      throw .space(
        path: name,
        reason: "there is no such space; there are \(shipped.joined(separator: ", ")), or a file")
    }
    return try parse(String(decoding: bytes, as: UTF8.self), path: name)
  }

  /// Finds the space that a user means: a YAML or JSON file, or the name of one that is shipped.
  ///
  /// - Throws: ``SearchError/space(path:reason:)``.
  public static func resolve(_ text: String) throws(SearchError) -> NetworkSpace {
    let isFile = text.contains("/") || [".yaml", ".yml", ".json"].contains { text.hasSuffix($0) }
    return isFile ? try read(URL(filePath: text)) : try named(text)
  }

  /// Reads a YAML or JSON file.
  ///
  /// - Throws: ``SearchError/space(path:reason:)``.
  public static func read(_ url: URL) throws(SearchError) -> NetworkSpace {
    let path = url.path(percentEncoded: false)
    let text: String
    do { text = try TextFile.read(path, limit: 1 << 22) } catch {
      throw .space(
        path: path,
        reason: error.code == ENOENT
          ? "there is no such file" : "cannot be read as text: \(error.cause)")
    }
    return try parse(text, path: path)
  }

  /// Reads the text of a space; `path` is for messages.
  ///
  /// - Throws: ``SearchError/space(path:reason:)``.
  public static func parse(_ text: String, path: String) throws(SearchError) -> NetworkSpace {
    let space: NetworkSpace
    guard YAMLSize.holds(text, marks: 1 << 17) else {
      throw .space(path: path, reason: "has more values than any space needs")
    }
    do {
      space = try YAMLDecoder().decode(NetworkSpace.self, from: text)
    } catch let error as DecodingError {
      let text = (error.underlyingError as? YamlError).map(Self.line)
      throw .space(
        path: path, reason: text.map { "is not valid YAML or JSON: \($0)" } ?? error.reason)
    } catch {
      throw .space(path: path, reason: "is not valid YAML or JSON: \(Self.line(error))")
    }
    if let defect = space.defect { throw .space(path: path, reason: defect) }
    return space
  }

  /// The space as YAML, to be edited and read again.
  ///
  /// - Throws: an error of the encoder.
  public func yaml() throws -> String { try ExactYAML.text(self) }

  /// An error's text in one line.
  private static func line(_ error: any Error) -> String {
    "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
