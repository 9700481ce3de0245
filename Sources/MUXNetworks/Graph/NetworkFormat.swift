// SPDX-License-Identifier: Apache-2.0

/// The versions of the text forms of networks and of architectures.
///
/// A file without a version is of version 1. A program writes the least version that can say what the
/// file holds, so that programs of earlier versions read what they can, and reads all versions up to
/// its own. Settings that came later have defaults.
///
/// | version | what it added |
/// | --- | --- |
/// | 1 | the operations of muxnet 0.1 |
/// | 2 | settings that say their own defaults (`OperationRules.formatVersion`), such as a slope |
public enum NetworkFormat {
  /// The newest version that this program reads and writes.
  public static let current = 2

  /// Refuses files of versions that are newer than the program.
  static func check<Key: CodingKey>(
    _ values: KeyedDecodingContainer<Key>, _ key: Key, what: String
  ) throws {
    let version = try values.value(key, default: 1)
    guard version >= 1 else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: values, debugDescription: "there is no version \(version) of \(what)s")
    }
    guard version <= current else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: values,
        debugDescription: "the \(what) is of version \(version), and this program reads versions up"
          + " to \(current); use a newer muxnet")
    }
  }
}
