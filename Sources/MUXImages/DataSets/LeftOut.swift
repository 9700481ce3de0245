// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// What lies in the folders of a data set and is not among its images, counted.
///
/// Files that are no images (notes, `Thumbs.db`) and hidden ones are not counted.
public struct LeftOut: Sendable, Hashable, Codable {
  /// Why something was left out.
  public enum Reason: String, Sendable, Hashable, Codable, CaseIterable {
    /// A file named like an image of a format that is not read.
    case unreadFormat
    /// An image that lies beside the class folders instead of in one.
    case withoutClass
    /// A link to a folder that the data set has already, such as one that leads back up.
    case circle
    /// A link that leads nowhere.
    case brokenLink
    /// A name that is not UTF-8.
    case misnamed
  }

  /// Things that were left out for one reason.
  public struct Group: Sendable, Hashable, Codable {
    /// Why.
    public var reason: Reason
    /// How many there are for this reason; only the first is named.
    public var count: Int
    /// The path of the first.
    public var example: String
    /// Reason `unreadFormat`: the number of files by extension (in lower case).
    public var formats: [String: Int]?
  }

  /// The groups in the order of ``Reason``, those without members left out.
  public private(set) var groups: [Group] = []

  /// Starts with nothing left out.
  public init() {}

  /// All that was left out.
  public var count: Int { groups.reduce(0) { $0 + $1.count } }
  /// Whether nothing was left out.
  public var isEmpty: Bool { groups.isEmpty }
  /// One line for each reason.
  public var descriptions: [String] { groups.map(\.description) }

  /// Counts one thing.
  package mutating func add(_ reason: Reason, _ path: String, format: String? = nil) {
    add(
      Group(
        reason: reason, count: 1, example: path, formats: format.map { [$0: 1] }))
  }

  /// Counts what another part left out.
  package mutating func add(_ other: LeftOut) { for group in other.groups { add(group) } }

  private mutating func add(_ group: Group) {
    guard let place = groups.firstIndex(where: { $0.reason == group.reason }) else {
      let order = Reason.allCases
      let place = groups.firstIndex {
        order.firstIndex(of: $0.reason) ?? 0 > order.firstIndex(of: group.reason) ?? 0
      }
      groups.insert(group, at: place ?? groups.endIndex)
      return
    }
    groups[place].count += group.count
    groups[place].formats?.merge(group.formats ?? [:], uniquingKeysWith: +)
  }
}

extension LeftOut.Group: CustomStringConvertible {
  /// One line: how many of what, one of them, and what to do.
  public var description: String {
    let example = example.printable
    return switch reason {
    case .unreadFormat:
      "left out \(Self.plural(count, "file")) of image formats that are not read (\(formatList)),"
        + " such as \(example); convert them to JPEG or PNG"
    case .withoutClass:
      "left out \(Self.plural(count, "image")) beside the class folders, such as \(example);"
        + " move each into the folder of its class"
    case .circle:
      "left out \(Self.plural(count, "link")) to folders that the data set has already, such as"
        + " \(example), which leads back; remove such links"
    case .brokenLink:
      "left out \(Self.plural(count, "link")) that lead\(count == 1 ? "s" : "") nowhere, such as"
        + " \(example); repair or remove such links"
    case .misnamed:
      "left out \(Self.plural(count, "name")) that \(count == 1 ? "is" : "are") not UTF-8, such as"
        + " \(example); rename what they name"
    }
  }

  private var formatList: String {
    let sorted = (formats ?? [:]).sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    return sorted.map { "\($0.value) .\($0.key)" }.joined(separator: ", ")
  }

  private static func plural(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}
