// SPDX-License-Identifier: Apache-2.0
import MUXTasks

extension GraphCompiler {
  /// Makes boxes of a detector's outputs for one image, as ``DetectionPostProcessing`` says.
  ///
  /// - Parameter outputs: The class scores of all maps, then the offsets of all maps, [1, C, H, W].
  mutating func addDetections(
    _ outputs: [GraphValue], _ processing: DetectionPostProcessing
  ) {
    let count = outputs.count / 2
    let classes = processing.head.classNames.count + 1
    let logits = rows(of: Array(outputs[..<count]), width: classes, "detections.logits")
    let offsets = rows(of: Array(outputs[count...]), width: 4, "detections.offsets")
    let scores = candidates(logits, classes: classes, processing)
    let (ordered, corners) = decoded(offsets, processing)
    let selected = writer.node(
      "NonMaxSuppression", "detections.selected",
      [
        ordered, scores,
        writer.integers([processing.candidates], "detections.candidates"),
        writer.scalar(Float(processing.overlap)),
        // Scores must lie above this: those of the threshold itself count.
        writer.scalar(Float(processing.threshold).nextDown),
      ], [.int("center_point_box", 1)])
    let labels = column(1, of: selected, "detections.labels")
    let numbers = column(2, of: selected, "detections.numbers")
    var found: [String] = [
      writer.node("Gather", "detections.corners", [corners, numbers], [.int("axis", 0)]),
      writer.node("GatherND", "detections.scores", [scores, selected]), labels,
    ]
    if processing.head.task.clipsBoxes { found = clipped(found) }
    let limit = writer.node(
      "Min", "detections.limit",
      [
        writer.node("Shape", "detections.count", [found[1]]),
        writer.integers([processing.limit], "detections.most"),
      ])
    let best = writer.nodes(
      "TopK", "detections.best", [found[1], limit], outputs: 2,
      [.int("axis", 0), .int("largest", 1), .int("sorted", 1)])
    for (index, name) in zip([0, 2], ["detections.kept", "detections.classes"]) {
      found[index] = writer.node("Gather", name, [found[index], best[1]], [.int("axis", 0)])
    }
    found[1] = best[0]
    let names = DetectionPostProcessing.outputs
    writer.addOutput(found[0], name: names[0], type: .float, dimensions: ["K", "4"])
    writer.addOutput(found[1], name: names[1], type: .float, dimensions: ["K"])
    writer.addOutput(found[2], name: names[2], type: .int64, dimensions: ["K"])
  }

  /// The values of default boxes one below the other: [1, boxes, width], map after map, in each position
  /// after position.
  private mutating func rows(of maps: [GraphValue], width: Int, _ name: String) -> String {
    let parts = maps.enumerated().map { number, map in
      let shape = map.shape
      let boxes = shape.channels / width, positions = shape.height * shape.width
      let split = writer.node(
        "Reshape", "\(name).\(number).split",
        [map.name, writer.integers([boxes, width, positions], "\(name).\(number).sides")])
      let turned = writer.node(
        "Transpose", "\(name).\(number).turned", [split], [.ints("perm", [2, 0, 1])])
      return writer.node(
        "Reshape", "\(name).\(number)",
        [turned, writer.integers([1, positions * boxes, width], "\(name).\(number).rows")])
    }
    return parts.count == 1
      ? parts[0] : writer.node("Concat", name, parts, [.int("axis", 1)])
  }

  /// The probabilities of all classes but the background, [1, classes, boxes]; −1 for boxes that are not
  /// among the best of their class.
  private mutating func candidates(
    _ logits: String, classes: Int, _ processing: DetectionPostProcessing
  ) -> String {
    let all = writer.node("Softmax", "detections.probabilities", [logits], [.int("axis", 2)])
    let objects = writer.node(
      "Slice", "detections.objects",
      [
        all, writer.integers([1], "bound.1"), writer.integers([classes], "bound.\(classes)"),
        writer.integers([2], "bound.2"),
      ])
    let scores = writer.node(
      "Transpose", "detections.by_class", [objects], [.ints("perm", [0, 2, 1])])
    guard processing.head.layout.count > processing.candidates else { return scores }
    let best = writer.nodes(
      "TopK", "detections.candidates",
      [scores, writer.integers([processing.candidates], "detections.candidates.count")],
      outputs: 2, [.int("axis", 2), .int("largest", 1), .int("sorted", 1)])
    let last = writer.node(
      "Slice", "detections.least",
      [
        best[0], writer.integers([processing.candidates - 1], "detections.candidates.last"),
        writer.integers([processing.candidates], "detections.candidates.count"),
        writer.integers([2], "bound.2"),
      ])
    let isGood = writer.node("GreaterOrEqual", "detections.is_candidate", [scores, last])
    return writer.node("Where", "detections.good", [isGood, scores, writer.scalar(-1)])
  }

  /// The boxes as centre, width and height, [1, boxes, 4], and as edges, [boxes, 4].
  private mutating func decoded(
    _ offsets: String, _ processing: DetectionPostProcessing
  ) -> (ordered: String, corners: String) {
    let decoder = processing.head.decoder
    let coding = decoder.coding
    let rows = decoder.priors.rows
    func pairs(_ first: Int, times factor: Double = 1) -> [Float] {
      var values: [Float] = []
      for start in stride(from: first, to: rows.count, by: 4) {
        for value in rows[start...start + 1] { values.append(Float(Double(value) * factor)) }
      }
      return values
    }
    let shape = [1, decoder.priors.count, 2]
    func half(_ start: Int, _ name: String) -> String {
      writer.node(
        "Slice", name,
        [
          offsets, writer.integers([start], "bound.\(start)"),
          writer.integers([start + 2], "bound.\(start + 2)"), writer.integers([2], "bound.2"),
        ])
    }
    let steps = writer.node(
      "Mul", "detections.steps",
      [
        half(0, "detections.shifts"),
        writer.tensor(pairs(2, times: coding.centerVariance), shape: shape, "priors.steps"),
      ])
    let centers = writer.node(
      "Add", "detections.centers",
      [steps, writer.tensor(pairs(0), shape: shape, "priors.centers")])
    var growth = writer.node(
      "Mul", "detections.growth",
      [half(2, "detections.powers"), writer.scalar(Float(coding.sizeVariance))])
    if let limit = coding.limit {
      growth = writer.node("Min", "detections.limited", [growth, writer.scalar(Float(limit))])
    }
    let sides = writer.node(
      "Mul", "detections.sides",
      [
        writer.node("Exp", "detections.factors", [growth]),
        writer.tensor(pairs(2), shape: shape, "priors.sides"),
      ])
    let halves = writer.node("Mul", "detections.halves", [sides, writer.scalar(0.5)])
    let edges = ["Sub", "Add"].map { writer.node($0, "detections.edges", [centers, halves]) }
    let whole = writer.node("Concat", "detections.boxes", edges, [.int("axis", 2)])
    return (
      writer.node("Concat", "detections.ordered", [centers, sides], [.int("axis", 2)]),
      writer.node(
        "Reshape", "detections.all",
        [whole, writer.integers([decoder.priors.count, 4], "priors.shape")])
    )
  }

  /// Boxes cut off at the border of the image, with scores and labels; those outside are left out.
  private mutating func clipped(_ found: [String]) -> [String] {
    let inside = writer.node(
      "Clip", "detections.inside", [found[0], writer.scalar(0), writer.scalar(1)])
    let corners = [0, 2].map { start in
      writer.node(
        "Slice", "detections.corner",
        [
          inside, writer.integers([start], "bound.\(start)"),
          writer.integers([start + 2], "bound.\(start + 2)"), writer.integers([1], "bound.1"),
        ])
    }
    let extent = writer.node("Sub", "detections.extent", [corners[1], corners[0]])
    let least = writer.node(
      "ReduceMin", "detections.least_extent", [extent], [.ints("axes", [1]), .int("keepdims", 0)])
    let isThere = writer.node("Greater", "detections.is_there", [least, writer.scalar(0)])
    let places = writer.node(
      "Squeeze", "detections.places",
      [writer.node("NonZero", "detections.there", [isThere]), writer.integers([0], "bound.0")])
    return zip([inside, found[1], found[2]], ["boxes", "scores", "labels"]).map { value, name in
      writer.node("Gather", "detections.inside.\(name)", [value, places], [.int("axis", 0)])
    }
  }

  private mutating func column(_ index: Int, of table: String, _ name: String) -> String {
    writer.node("Gather", name, [table, writer.index(index)], [.int("axis", 1)])
  }
}

extension DetectionPostProcessing {
  /// The most boxes of a class that can be kept: there are no more candidates.
  var candidates: Int { min(head.task.candidates, head.layout.count) }
}
