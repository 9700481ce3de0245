// SPDX-License-Identifier: Apache-2.0
package import MUXImages

/// A data set whose samples are known to belong together, such as images of one patient.
package struct GroupedDataSet: ImageDataSet {
  package let base: any ImageDataSet
  private let groups: [String]

  /// - Parameters:
  ///   - base: The data set.
  ///   - groups: What each of its samples belongs to.
  package init(_ base: any ImageDataSet, groups: [String]) {
    precondition(groups.count == base.count, "one group a sample")
    self.base = base
    self.groups = groups
  }

  /// What a sample belongs to.
  package func group(at index: Int) -> String? { groups[index] }

  package var count: Int { base.count }
  package var classNames: [String] { base.classNames }
  /// The hash of the data set behind.
  package var contentHash: UInt64 { base.contentHash }
  /// What the data set behind leaves out.
  package var leftOut: LeftOut { base.leftOut }
  /// The warnings of the data set behind.
  package var warnings: [DataSetWarning] { base.warnings }
  /// The division of the data set behind.
  package var division: String? { base.division }
  /// What is known about a sample.
  package func target(at index: Int) -> Target { base.target(at: index) }
  /// The stratum of a sample.
  package func stratum(at index: Int) -> Int { base.stratum(at: index) }
  /// The name of a sample.
  package func name(at index: Int) -> String { base.name(at: index) }
  /// Decodes a sample.
  package func image(at index: Int) throws -> Image { try base.image(at: index) }
  /// A sample as the data set behind gives it.
  package func sample(at index: Int) throws -> Sample { try base.sample(at: index) }
  /// The steps that the images have been through.
  package var preparation: [ImageTransform] { base.preparation }
}
