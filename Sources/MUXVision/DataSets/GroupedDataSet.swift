// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// A data set whose samples are known to belong together, such as images of one patient.
public struct GroupedDataSet: ImageDataSet {
  /// The data set.
  public let base: any ImageDataSet
  private let groups: [String]

  /// - Parameters:
  ///   - base: The data set.
  ///   - groups: What each of its samples belongs to.
  public init(_ base: any ImageDataSet, groups: [String]) {
    precondition(groups.count == base.count, "one group a sample")
    self.base = base
    self.groups = groups
  }

  /// What a sample belongs to.
  public func group(at index: Int) -> String? { groups[index] }

  /// The number of samples.
  public var count: Int { base.count }
  /// The classes.
  public var classNames: [String] { base.classNames }
  /// The hash of the data set behind.
  public var contentHash: UInt64 { base.contentHash }
  /// What the data set behind leaves out.
  public var leftOut: LeftOut { base.leftOut }
  /// The warnings of the data set behind.
  public var warnings: [DataSetWarning] { base.warnings }
  /// The division of the data set behind.
  public var division: String? { base.division }
  /// What is known about a sample.
  public func target(at index: Int) -> Target { base.target(at: index) }
  /// The stratum of a sample.
  public func stratum(at index: Int) -> Int { base.stratum(at: index) }
  /// The name of a sample.
  public func name(at index: Int) -> String { base.name(at: index) }
  /// Decodes a sample.
  public func image(at index: Int) throws -> Image { try base.image(at: index) }
  /// A sample as the data set behind gives it.
  public func sample(at index: Int) throws -> Sample { try base.sample(at: index) }
  /// The steps that the images have been through.
  public var preparation: [ImageTransform] { base.preparation }
}
