// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import MUXVision

extension DataConfiguration {
  /// A data set with the groups that ``groupPattern`` finds in the names of its files, if there is one.
  ///
  /// - Throws: `ConfigurationError` where the pattern is none, or finds nothing in a name.
  func grouped(_ data: any ImageDataSet) throws -> any ImageDataSet {
    guard let groupPattern else { return data }
    let pattern = try Self.pattern(groupPattern)
    let groups = try (0..<data.count).map { index in
      let path = data.name(at: index)
      let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
      guard let match = try pattern.firstMatch(in: name) else {
        throw ConfigurationError(
          setting: "data.groupPattern", value: groupPattern,
          expected: "finds nothing in \(path); it must find the group in the name of every file")
      }
      // The first part in parentheses is the group; without one, all that was found.
      let part = match.output.count > 1 ? match.output[1].substring : match.output[0].substring
      return String(part ?? "")
    }
    return GroupedDataSet(data, groups: groups)
  }

  static func pattern(_ text: String) throws(ConfigurationError) -> Regex<AnyRegexOutput> {
    do { return try Regex(text) } catch {
      throw ConfigurationError(
        setting: "data.groupPattern", value: text,
        expected:
          "is no regular expression (\(error)); ^([0-9]+)_ finds the number before the first"
          + " underscore")
    }
  }

  /// Makes sure that a part that the data has as its own shares no group with the training images.
  func requireApart(_ part: any ImageDataSet, named name: DataPart) throws {
    // Where only this part is there, there is nothing to compare.
    guard groupPattern != nil, place(of: name) != place(of: .training),
      let training = try? openOwn(.training, classNames: nil, allowsEmptyClasses: true)
    else { return }
    let known = Set((0..<training.count).compactMap(training.group(at:)))
    let shared = Set((0..<part.count).compactMap(part.group(at:))).intersection(known)
    guard shared.isEmpty else {
      throw DataSetError.sharedGroups(
        first: place(of: .training), second: place(of: name), groups: shared.sorted())
    }
  }
}
