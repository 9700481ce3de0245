// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The 1,000 classes of ImageNet (ILSVRC 2012), in the order in which networks number them.
public enum ImageNetClasses {
  private static let rows: [(id: String, name: String)] =
    String(decoding: PackageResources.imagenet1k_csv, as: UTF8.self)
    .split(whereSeparator: \.isNewline).dropFirst().compactMap { line in
      let parts = line.split(separator: ",", maxSplits: 1)
      return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
    }

  /// Short names, all different, such as "tench".
  public static let names = rows.map(\.name)
  /// The numbers in WordNet, such as n01440764, after which the folders of the data set are named.
  public static let wordNetIDs = rows.map(\.id)

  /// Whether a text has the form of a number in WordNet.
  package static func isWordNetID(_ text: String) -> Bool {
    text.utf8.count == 9 && text.first == "n" && text.dropFirst().allSatisfy(\.isWholeNumber)
  }
}
