// SPDX-License-Identifier: Apache-2.0
import MUXCore
public import MUXTasks

/// Default boxes that were fitted to the objects of a data set, beside those before.
public struct PriorReport: Sendable, Encodable {
  /// The objects of one class, or of all.
  public struct Row: Sendable, Encodable {
    /// The class.
    public var name: String
    /// How near the default boxes were.
    public var before: PriorReach
    /// How near the fitted ones are.
    public var after: PriorReach
  }

  /// The fitted default boxes.
  public var priors: PriorLayout
  /// The classes, and all of them alike: the mean over the classes.
  public var classes: [Row]

  /// Fits default boxes. A class of n objects counts as √n of them: in the mean average precision all classes
  /// count alike, but a class of two objects tells little about sizes.
  ///
  /// - Parameters:
  ///   - objects: The objects of a data set.
  ///   - layout: The default boxes before.
  package init(_ objects: PreparedObjects, from layout: PriorLayout) {
    let weighted = objects.boxes.flatMap { boxes in
      boxes.map { (box: $0, weight: 1 / Double(boxes.count).squareRoot()) }
    }
    priors = layout.fitted(to: weighted)
    let (before, after) = (layout.boxes.edges, priors.boxes.edges)
    classes = zip(objects.classNames, objects.boxes).map { name, boxes in
      // A few thousand objects say it as well as a million.
      let step = max(1, boxes.count / 5000)
      let some = stride(from: 0, to: boxes.count, by: step).map { boxes[$0] }
      var row = Row(
        name: name, before: PriorReach(some, priors: before), after: PriorReach(some, priors: after)
      )
      row.before.objects = boxes.count
      row.after.objects = boxes.count
      return row
    }
  }

  /// The means over the classes that have objects, before and after.
  public var mean: (before: Double, after: Double)? {
    mean { $0.meanOverlap }
  }

  /// The shares of objects that a default box overlaps by one half, before and after.
  public var recall: (before: Double, after: Double)? {
    mean { $0.recall }
  }

  private func mean(_ value: (PriorReach) -> Double?) -> (before: Double, after: Double)? {
    let pairs = classes.compactMap { row in
      value(row.before).flatMap { before in value(row.after).map { (before, $0) } }
    }
    guard !pairs.isEmpty else { return nil }
    let count = Double(pairs.count)
    return (pairs.reduce(0) { $0 + $1.0 } / count, pairs.reduce(0) { $0 + $1.1 } / count)
  }

  /// The classes one by one.
  public var table: ScoreTable {
    func column(_ name: String, _ format: Metric.Format, unit: String = "") -> Metric {
      Metric(name, unit: unit, direction: .higher, format: format)
    }
    return ScoreTable(
      columns: [
        column("objects", .grouped), column("overlap before", .fixed(decimals: 3)),
        column("overlap after", .fixed(decimals: 3)),
        column("reached before", .percent(decimals: 1), unit: "%"),
        column("reached after", .percent(decimals: 1), unit: "%"),
      ],
      rows: classes.map { row in
        ScoreTable.Row(
          row.name,
          [
            Double(row.before.objects), row.before.meanOverlap, row.after.meanOverlap,
            row.before.recall, row.after.recall,
          ])
      })
  }

  /// A piece of a recipe with the default boxes.
  ///
  /// - Parameter model: The network that they are for; nil leaves it out.
  public func recipe(model: String?) -> String {
    func text(_ value: Double) -> String {
      value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)"
    }
    func size(_ size: ImageSize) -> String {
      size.width == size.height ? "\(size.width)" : "[\(size.height), \(size.width)]"
    }
    var lines = ["task:", "  name: detection", "  priors:"]
    lines.append("    imageSize: \(size(priors.imageSize))")
    if priors.clipping != .centersAndSides {
      lines.append("    clipping: \(priors.clipping.rawValue)")
    }
    lines.append("    maps:")
    for map in priors.maps {
      lines.append(
        "      - {size: \(size(map.size)), step: \(text(map.step)), minimum: \(text(map.minimum)),"
          + " maximum: \(text(map.maximum)),"
          + " ratios: [\(map.ratios.map(text).joined(separator: ", "))]}")
    }
    if let model {
      lines += ["model:", "  name: \(model)"]
      if priors.imageSize.width == priors.imageSize.height {
        lines.append("  inputSize: \(priors.imageSize.width)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
