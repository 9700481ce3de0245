// SPDX-License-Identifier: Apache-2.0

/// The version of what this package writes into the metadata of weights: network, classes, pipeline
/// and how they were trained.
///
/// Version 1 is also what files without a version have. A setting that comes later has a default, so
/// that files of before stay readable; the version grows only when a file would be misunderstood by
/// programs that do not know the change.
package enum WeightsFormat {
  /// The version that is written.
  package static let version = 1
  /// The key of the metadata under which the version stands.
  package static let key = "muxnet.formatVersion"

  /// The entry to write.
  package static var entry: [String: String] { [key: "\(version)"] }

  /// Why metadata cannot be understood, for people to read; nil if they can.
  package static func reasonToRefuse(_ metadata: [String: String]) -> String? {
    guard let text = metadata[key] else { return nil }
    guard let found = Int(text), found >= 1 else {
      return "its metadata have a format version that is not a number (“\(text.prefix(40))”);"
        + " write the file anew"
    }
    guard found > version else { return nil }
    return "its metadata have version \(found) of the format, but this program reads versions up to"
      + " \(version); take a newer muxnet, or write the weights with this one"
  }
}
