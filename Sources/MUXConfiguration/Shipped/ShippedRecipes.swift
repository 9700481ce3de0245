// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The recipes that are inside the program, so that it works wherever it is copied to.
package enum ShippedRecipes {
  private static let files: [(name: String, bytes: [UInt8])] = [
    ("bccd_lite0", PackageResources.bccd_lite0_yaml),
    ("bccd_ssdlite", PackageResources.bccd_ssdlite_yaml),
    ("chestxray14_chexnet", PackageResources.chestxray14_chexnet_yaml),
    ("chestxray14_muxnet", PackageResources.chestxray14_muxnet_yaml),
    ("cifar10_ablation", PackageResources.cifar10_ablation_yaml),
    ("cifar10_scratch", PackageResources.cifar10_scratch_yaml),
    ("cifar10_search", PackageResources.cifar10_search_yaml),
    ("cifar10_supernet", PackageResources.cifar10_supernet_yaml),
    ("cifar_transfer", PackageResources.cifar_transfer_yaml),
    ("digits", PackageResources.digits_yaml),
    ("digits_search", PackageResources.digits_search_yaml),
    ("digits_supernet", PackageResources.digits_supernet_yaml),
    ("imagenet_muxnet", PackageResources.imagenet_muxnet_yaml),
    ("multilabel", PackageResources.multilabel_yaml),
    ("photos", PackageResources.photos_yaml),
    ("voc_lite0", PackageResources.voc_lite0_yaml),
    ("voc_ssd", PackageResources.voc_ssd_yaml),
    ("voc_ssdlite", PackageResources.voc_ssdlite_yaml),
  ]

  /// Their names, sorted.
  package static var names: [String] { files.map(\.name).sorted() }

  /// The text of a recipe; nil for another name.
  package static func text(_ name: String) -> String? {
    files.first { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  /// The first sentence of what a recipe says of itself, after its licence. Programs ask at each start, for
  /// their help: no more of the text is looked at than the lines in which that sentence stands.
  package static func summary(_ name: String) -> String? {
    guard let bytes = files.first(where: { $0.name == name })?.bytes else { return nil }
    let blank = UInt8(ascii: " ")
    let comment = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 8).dropFirst().dropLast()
      .prefix { $0.first == UInt8(ascii: "#") }.map { $0.dropFirst().drop { $0 == blank } }
    return firstSentence(of: Array(comment.joined(separator: [blank])))
  }

  /// What stands before the first full stop or colon that a space or the end follows (not after another
  /// full stop); nil without one.
  private static func firstSentence(of bytes: [UInt8]) -> String? {
    let (stop, colon, space) = (UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: " "))
    let end = bytes.indices.dropFirst().first { index in
      (bytes[index] == stop || bytes[index] == colon) && bytes[index - 1] != stop
        && (index + 1 == bytes.count || bytes[index + 1] == space)
    }
    return end.map { String(decoding: bytes[..<$0], as: UTF8.self) }
  }
}
