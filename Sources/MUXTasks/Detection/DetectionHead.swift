// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// Detection for one network and its classes.
public struct DetectionHead: TaskHead {
  /// The task and its settings.
  public let task: Detection
  /// The network's name, for messages.
  public let network: String
  /// The network's image size.
  public let imageSize: ImageSize
  /// The classes, in the order of the outputs, without the background.
  public let classNames: [String]
  /// The default boxes as settings.
  public let layout: PriorLayout
  /// What turns outputs into boxes.
  public let decoder: DetectionDecoder
  /// The edges of the default boxes.
  private let edges: [BoundingBox]
  /// What is done to images, where that is known; else they are scaled to the network's size.
  private var pipeline: ImagePipeline?

  /// The head of a network with such maps.
  init(
    task: Detection, network: String, imageSize: ImageSize, classNames: [String],
    maps: [(size: ImageSize, boxesPerPosition: Int)], layout: PriorLayout
  ) {
    self.task = task
    self.network = network
    self.imageSize = imageSize
    self.classNames = classNames
    self.layout = layout
    let priors = layout.boxes
    decoder = DetectionDecoder(
      priors: priors, maps: maps.map { ($0.size.width * $0.size.height, $0.boxesPerPosition) },
      classes: classNames.count + 1)
    edges = priors.edges
  }

  /// The head for images that are prepared in a certain way: boxes are told in pixels of the images as
  /// they were before.
  public func forImages(preparedBy pipeline: ImagePipeline) -> DetectionHead {
    var head = self
    head.pipeline = pipeline
    return head
  }

  /// The boxes of each image, the most likely first: those from the task's threshold on, unless
  /// `threshold` is another. `limit` and `overlap` replace those of the task, too.
  public func decode(
    _ outputs: [OutputTensor], original: [ImageSize], settings: DecodingSettings
  ) throws -> [Detections] {
    zip(try images(of: outputs), original).map { values, size in
      decode(values[...], original: size, settings: settings)
    }
  }

  /// The boxes in the values of one image, the maps of its outputs one after the other.
  package func decode(
    _ values: ArraySlice<Float>, original: ImageSize, settings: DecodingSettings
  ) -> Detections {
    var limits = task.limits
    limits.score = Self.justBelow(settings.threshold ?? task.threshold)
    limits.overlap = settings.overlap ?? task.overlap
    limits.boxesPerImage = settings.limit ?? task.limit
    return Detections(
      boxes: found(values, of: original, limits: limits).map {
        Detections.Box(
          label: classNames[$0.label], index: $0.label, probability: $0.score, left: $0.box.left,
          top: $0.box.top, right: $0.box.right, bottom: $0.box.bottom)
      }, width: original.width, height: original.height)
  }

  /// A meter that has counted nothing.
  public func makeMeter() -> DetectionMeter { DetectionMeter(classNames: classNames) }

  /// Compares boxes and objects in pixels of the images as they were, and adds up the loss.
  public func measure(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize],
    into meter: inout DetectionMeter
  ) throws {
    let images = try images(of: outputs)
    for (image, target) in targets.enumerated() {
      let boxes = try checked(target, name: "an image")
      meter.add(
        found(images[image][...], of: original[image], limits: task.limits),
        objects: objects(boxes, in: original[image]))
      var loss = MultiBoxLoss()
      let rows = decoder.rows(images[image][...])
      loss.add(
        logits: rows.logits, offsets: rows.offsets, targets: self.targets(boxes),
        ratio: task.negatives)
      meter.add(loss)
    }
  }

  /// The faults of each image: objects that are not found, and boxes without an object, each counted by its
  /// probability. Boxes are those that predictions show.
  public func verdicts(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize]
  ) throws -> [ImageVerdict] {
    let images = try images(of: outputs)
    return try targets.enumerated().map { image, target in
      let size = original[image]
      let objects = objects(try checked(target, name: "an image"), in: size)
      let shown = decode(images[image][...], original: size, settings: DecodingSettings())
      var (missed, alarms, loss) = (0, 0, 0.0)
      for label in classNames.indices {
        let own = shown.boxes.filter { $0.index == label }
        let wanted = objects.filter { $0.label == label }
        let verdicts = DetectionVerdict.verdicts(
          on: own.map { FoundObject(label: label, score: $0.probability, box: $0.box) },
          objects: wanted)
        let hits = verdicts.count { $0 == .hit }
        let lost = max(wanted.count { !$0.isIgnored } - hits, 0)
        missed += lost
        alarms += verdicts.count { $0 == .miss }
        loss += Double(lost)
        for (box, verdict) in zip(own, verdicts) where verdict == .miss { loss += box.probability }
      }
      return ImageVerdict(
        loss: loss, isWrong: missed + alarms > 0,
        truth: "\(objects.count) object\(objects.count == 1 ? "" : "s")",
        said: "\(shown.boxes.count) found, \(missed) missed, \(alarms) wrong",
        boxes: (shown.drawnBoxes ?? [])
          + objects.map { object in
            DrawnBox(
              LabeledBox(
                label: object.label, left: object.box.left, top: object.box.top,
                right: object.box.right, bottom: object.box.bottom), text: "")
          })
    }
  }

  /// Whether a thing is there, for each box that either computation says is. Two boxes tell the same thing
  /// where they are of one class and overlap by at least one half, whichever default boxes they came from;
  /// each box counts once.
  public func agreement(
    _ outputs: [OutputTensor], _ reference: [OutputTensor]
  ) throws -> DecisionCount? {
    var limits = task.limits
    limits.score = Self.justBelow(task.threshold)
    var count = DecisionCount("boxes")
    for (own, exact) in zip(try images(of: outputs), try images(of: reference)) {
      var open = decoder.boxes(exact[...], limits: limits)
      count.total += open.count
      for box in decoder.boxes(own[...], limits: limits) {
        let best = open.indices.filter { open[$0].label == box.label }
          .max { open[$0].box.overlap(box.box) < open[$1].box.overlap(box.box) }
        if let best, open[best].box.overlap(box.box) >= 0.5 {
          open.remove(at: best)
          count.same += 1
        } else {
          count.total += 1
        }
      }
    }
    return count
  }

  // MARK: Objects and their default boxes

  /// The boxes of a target, all of classes that there are.
  package func checked(_ target: Target, name: String) throws(TaskError) -> [LabeledBox] {
    let boxes = try target.boxes(task: Detection.name, name: name)
    if let wrong = boxes.first(where: { !classNames.indices.contains($0.label) }) {
      throw .classOutside(index: wrong.label, classes: classNames.count, name: name)
    }
    return boxes
  }

  /// What must be found in an image as it was before it was prepared.
  private func objects(_ boxes: [LabeledBox], in original: ImageSize) -> [TrueObject] {
    let motion = motion(of: original).inverse
    return boxes.map { box in
      TrueObject(
        label: box.label, box: BoundingBox(box).moved(motion), isDifficult: box.isDifficult,
        isCrowd: box.isCrowd, area: box.area.map { $0 * abs(motion.scaleX * motion.scaleY) })
    }
  }

  /// What the default boxes of an image are to learn; boxes are in pixels of the prepared image.
  package func targets(_ boxes: [LabeledBox]) -> DetectionTargets {
    let (x, y) = (1 / Double(imageSize.width), 1 / Double(imageSize.height))
    return DetectionTargets(
      boxes.filter { !$0.isCrowd && (task.learnsDifficult || !$0.isDifficult) }
        .map { ($0.label, BoundingBox($0).scaled(x: x, y: y)) },
      priors: decoder.priors, edges: edges,
      matching: PriorMatching(threshold: task.matchingOverlap, rule: task.matching),
      coding: decoder.coding)
  }

  // MARK: Outputs and places

  /// The greatest number that a probability of a threshold, in single precision, lies above.
  private static func justBelow(_ threshold: Double) -> Double {
    Double(Float(threshold).nextDown)
  }

  /// The values of each image, map after map: first the class scores, then the offsets.
  private func images(of outputs: [OutputTensor]) throws(TaskError) -> [[Float]] {
    let count = outputs.first?.count ?? 0
    guard outputs.allSatisfy({ $0.count == count }),
      outputs.reduce(0, { $0 + $1.values.count }) == count * decoder.valueCount
    else {
      throw .detectorOutputs(
        network: network,
        reason: "they have another number of values than its default boxes; prepare images for its"
          + " own size of \(imageSize)")
    }
    return (0..<count).map { image in
      var values: [Float] = []
      values.reserveCapacity(decoder.valueCount)
      for output in outputs {
        let own = output.values.count / count
        values += output.values[image * own..<(image + 1) * own]
      }
      return values
    }
  }

  /// Where the points of an image of a size are in the prepared one.
  private func motion(of size: ImageSize) -> ImageMotion {
    pipeline?.motion(of: size)
      ?? .scaling(size.whole, to: imageSize)
  }

  /// The boxes in an image's values, in pixels of the image before it was prepared.
  private func found(
    _ values: ArraySlice<Float>, of size: ImageSize, limits: DetectionLimits
  ) -> [FoundObject] {
    let back = motion(of: size).inverse
    let (width, height) = (Double(imageSize.width), Double(imageSize.height))
    // Boxes that lie outside the image do not take the place of others.
    return decoder.boxes(values, limits: limits) { decoded in
      var box = decoded.box.scaled(x: width, y: height).moved(back)
      if task.clipsBoxes {
        guard
          let inside = box.clipped(width: Double(size.width), height: Double(size.height))
        else { return nil }
        box = inside
      } else if ![box.left, box.top, box.right, box.bottom].allSatisfy(\.isFinite) {
        return nil
      }
      return FoundObject(label: decoded.label, score: Double(decoded.score), box: box)
    }
  }
}

extension BoundingBox {
  /// The edges of a box of a data set.
  init(_ box: LabeledBox) {
    self.init(left: box.left, top: box.top, right: box.right, bottom: box.bottom)
  }

  /// Where a step takes the box.
  func moved(_ motion: ImageMotion) -> BoundingBox {
    let xs = [left, right].map { motion.scaleX * $0 + motion.shiftX }.sorted()
    let ys = [top, bottom].map { motion.scaleY * $0 + motion.shiftY }.sorted()
    return BoundingBox(left: xs[0], top: ys[0], right: xs[1], bottom: ys[1])
  }
}
