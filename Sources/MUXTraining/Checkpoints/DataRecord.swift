// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// What a run reads, so that it can be told whether that is still there when the run goes on.
///
/// It lies in each checkpoint's state and as `data.json` in the run's folder.
public struct DataRecord: Codable, Hashable, Sendable {
  /// The images of one part.
  public struct Part: Codable, Hashable, Sendable {
    /// The number of images, compared on resuming.
    public var images: Int
    /// A hash of what the data set knows of its samples without decoding them
    /// (`ImageDataSet.contentHash`), as a hexadecimal number.
    public var digest: String
    /// What lies beside them and was left out.
    public var leftOut: [LeftOut.Group]
    /// Which of several usual divisions of the data they are of.
    public var division: String?
    /// What else was odd about them, such as boxes that were left out; nil where nothing was.
    public var warnings: [String]?

    init(_ data: any ImageDataSet) {
      images = data.count
      digest = String(data.contentHash, radix: 16)
      leftOut = data.leftOut.groups
      division = data.division
      let lines = data.warnings.map(\.description)
      warnings = lines.isEmpty ? nil : lines
    }
  }

  /// The classes in the order of the labels.
  public var classes: [String]
  /// The training images.
  public var training: Part
  /// The validation images.
  public var validation: Part

  /// The record of the data that a run opens.
  public init(training: any ImageDataSet, validation: any ImageDataSet) {
    classes = training.classNames
    self.training = Part(training)
    self.validation = Part(validation)
  }

  /// What of the images is other than it was, one phrase a part.
  func changes(from before: DataRecord) -> [String] {
    func change(_ name: String, _ old: Part, _ new: Part) -> String? {
      guard old.images != new.images || old.digest != new.digest else { return nil }
      return old.images == new.images
        ? "the \(new.images) \(name) images have other names or sizes than before"
        : "there are \(new.images) \(name) images, before there were \(old.images)"
    }
    return [
      change("training", before.training, training),
      change("validation", before.validation, validation),
    ].compactMap { $0 }
  }
}
