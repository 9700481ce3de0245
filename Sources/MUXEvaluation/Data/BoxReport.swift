// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages
public import MUXTasks

/// How large the objects of a data set are beside the default boxes of a detector.
public struct BoxReport: Sendable, Hashable, Encodable {
  /// The objects of one class.
  public struct ClassSizes: Sendable, Hashable, Encodable {
    /// The class.
    public var name: String
    /// Objects, crowds left out.
    public var objects: Int
    /// Those that the data calls difficult.
    public var difficult: Int
    /// The median width in pixels of the network's input; nil without objects.
    public var medianWidth: Double?
    /// The median height of the objects in pixels; nil without any.
    public var medianHeight: Double?
    /// The share of the objects that some default box overlaps by one half at least; nil without objects.
    public var matched: Double?
  }

  /// The classes, in the order of their labels.
  public var classes: [ClassSizes]
  /// Images without objects.
  public var emptyImages: Int
  /// The most objects in one image.
  public var mostObjects: Int
  /// Classes whose objects are too small, or of too unlike a shape, for the default boxes.
  public var warnings: [String] = []

  /// The image size of the default boxes, which widths and heights are for.
  public var imageSize: ImageSize

  /// What has these default boxes, in words.
  private var detector: String

  /// What the table shows, in one line.
  public var summary: String {
    "objects at \(imageSize) pixels (medians), and the share that a default box of \(detector)"
      + " overlaps by one half; \(emptyImages) image\(emptyImages == 1 ? "" : "s") without objects, at"
      + " most \(mostObjects) object\(mostObjects == 1 ? "" : "s") in one"
  }

  /// The classes one by one.
  public var table: ScoreTable {
    func column(_ name: String, _ format: Metric.Format, unit: String = "") -> Metric {
      Metric(name, unit: unit, direction: .higher, format: format)
    }
    return ScoreTable(
      columns: [
        column("objects", .grouped), column("difficult", .grouped),
        column("width", .fixed(decimals: 0)), column("height", .fixed(decimals: 0)),
        column("matched", .percent(decimals: 1), unit: "%"),
      ],
      rows: classes.map {
        ScoreTable.Row(
          $0.name,
          [
            Double($0.objects), Double($0.difficult), $0.medianWidth, $0.medianHeight, $0.matched,
          ])
      })
  }

  private enum CodingKeys: String, CodingKey {
    case classes, emptyImages, mostObjects, imageSize, warnings
  }

  /// Objects are said to be too small where fewer than this are overlapped by one half.
  private static let leastShare = 0.5

  /// Looks at the objects of images whose sizes are known (those of others are passed over).
  ///
  /// - Parameters:
  ///   - dataSet: The images; nil comes of a data set without boxes.
  ///   - sizes: The size of each image.
  ///   - layout: The default boxes.
  ///   - detector: What has these default boxes, in words.
  ///   - isLetterboxed: Whether images keep their aspect when they are scaled; else they are stretched.
  public init?(
    _ dataSet: any ImageDataSet, sizes: [ImageSize?], priors layout: PriorLayout = .mobile300,
    of detector: String = "the usual detectors", isLetterboxed: Bool = false
  ) {
    guard
      let objects = PreparedObjects(
        dataSet, imageSize: layout.imageSize, isLetterboxed: isLetterboxed,
        size: { $0 < sizes.count ? sizes[$0] : nil })
    else { return nil }
    (emptyImages, mostObjects) = (objects.emptyImages, objects.mostObjects)
    imageSize = layout.imageSize
    self.detector = detector
    let edges = layout.boxes.edges
    let side = (x: Double(layout.imageSize.width), y: Double(layout.imageSize.height))
    classes = objects.classNames.indices.map { label in
      let boxes = objects.boxes[label]
      return ClassSizes(
        name: objects.classNames[label], objects: boxes.count, difficult: objects.difficult[label],
        medianWidth: Quantiles(boxes.map { $0.width * side.x }).upper(0.5),
        medianHeight: Quantiles(boxes.map { $0.height * side.y }).upper(0.5),
        matched: PriorReach(boxes, priors: edges).recall)
    }
    for entry in classes {
      guard let matched = entry.matched, matched < Self.leastShare,
        let width = entry.medianWidth, let height = entry.medianHeight
      else { continue }
      let least = layout.maps.map(\.minimum).min() ?? 0
      warnings.append(
        "\(entry.name): a default box overlaps only \(Int((100 * matched).rounded())) % of the objects"
          + " by one half; they have \(Int(width.rounded()))×\(Int(height.rounded())) pixels at"
          + " \(layout.imageSize), and the smallest default box has \(Int(least)): give the detector"
          + " others (task.priors), or larger images (model.inputSize)")
    }
  }
}
