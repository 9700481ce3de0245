// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import Yams

/// A list of public weights by name.
public struct PretrainedCatalogue: Sendable {
  /// The weights, in the order of the file.
  public let entries: [PretrainedWeights]

  /// The list that comes with the package.
  ///
  /// - Throws: ``PretrainedError/catalogue(reason:)`` if it is damaged.
  public static func shipped() throws(PretrainedError) -> PretrainedCatalogue {
    try PretrainedCatalogue(
      yaml: String(decoding: PackageResources.catalogue_yaml, as: UTF8.self))
  }

  private struct File: Decodable {
    static let currentVersion = 1
    var version: Int
    var weights: [PretrainedWeights]

    private enum CodingKeys: String, CodingKey, CaseIterable { case version, weights }

    init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      version = try values.decode(Int.self, forKey: .version)
      guard version == Self.currentVersion else {
        throw decoder.invalid("version \(version) is not read, only \(Self.currentVersion)")
      }
      weights = try values.decode([PretrainedWeights].self, forKey: .weights)
    }
  }

  /// Reads a list in YAML.
  ///
  /// - Throws: ``PretrainedError/catalogue(reason:)``.
  public init(yaml: String) throws(PretrainedError) {
    do {
      entries = try YAMLDecoder().decode(File.self, from: yaml).weights
    } catch let error as DecodingError {
      throw .catalogue(reason: error.reason)
    } catch {
      throw .catalogue(
        reason: "\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))
    }
    let names = entries.map(\.name)
    guard Set(names).count == names.count else {
      throw .catalogue(reason: "a name comes twice")
    }
  }

  /// The weights of a name.
  ///
  /// - Throws: ``PretrainedError/unknown(name:nearest:)``.
  public func entry(named name: String) throws(PretrainedError) -> PretrainedWeights {
    if let entry = entries.first(where: { $0.name == name }) { return entry }
    throw .unknown(name: name, nearest: NameDistance.nearest(to: name, among: entries.map(\.name)))
  }
}
