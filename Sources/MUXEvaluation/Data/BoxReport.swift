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
    /// The median height.
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

  /// What the table shows, in one line.
  public var summary: String {
    "objects at \(imageSize) pixels (medians), and the share that a default box of the usual detectors"
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
  public init?(
    _ dataSet: any ImageDataSet, sizes: [ImageSize?], priors layout: PriorLayout = .mobile300
  ) {
    guard dataSet.count > 0, dataSet.target(at: 0).kind == .boxes else { return nil }
    var widths = [[Double]](repeating: [], count: dataSet.classNames.count)
    var heights = widths
    var difficult = [Int](repeating: 0, count: widths.count)
    var matched = difficult
    (emptyImages, mostObjects) = (0, 0)
    imageSize = layout.imageSize
    let priors = layout.boxes
    let edges = priors.edges
    let side = (x: Double(layout.imageSize.width), y: Double(layout.imageSize.height))
    for index in 0..<dataSet.count {
      guard case .boxes(let boxes) = dataSet.target(at: index) else { continue }
      if boxes.isEmpty { emptyImages += 1 }
      mostObjects = max(mostObjects, boxes.count)
      guard index < sizes.count, let size = sizes[index] else { continue }
      for box in boxes where !box.isCrowd && widths.indices.contains(box.label) {
        let share = BoundingBox(
          left: box.left / Double(size.width), top: box.top / Double(size.height),
          right: box.right / Double(size.width), bottom: box.bottom / Double(size.height))
        widths[box.label].append(share.width * side.x)
        heights[box.label].append(share.height * side.y)
        if box.isDifficult { difficult[box.label] += 1 }
        if edges.contains(where: { $0.overlap(share) >= 0.5 }) { matched[box.label] += 1 }
      }
    }
    func median(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : values.sorted()[values.count / 2]
    }
    classes = dataSet.classNames.indices.map { label in
      let count = widths[label].count
      return ClassSizes(
        name: dataSet.classNames[label], objects: count, difficult: difficult[label],
        medianWidth: median(widths[label]), medianHeight: median(heights[label]),
        matched: count > 0 ? Double(matched[label]) / Double(count) : nil)
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
