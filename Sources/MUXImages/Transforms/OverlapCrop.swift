// SPDX-License-Identifier: Apache-2.0
package import MUXCore

/// A random part of an image that shows at least one object well enough: what detectors of the SSD kind
/// are trained with.
///
/// Each time one of the bounds is drawn, "the whole image" and "no bound" among them; then parts are drawn
/// until one suits, or another bound after fifty. Objects whose centre lies in the part stay, cut off at
/// its border. An image without objects stays whole.
public struct OverlapCrop: Sendable, Hashable, Codable {
  /// When a part suits.
  public enum Rule: String, Sendable, Hashable, Codable, CaseIterable {
    /// The overlap (intersection over union) of some object with the part reaches the bound.
    case someObject
    /// Any part that shows the centre of an object does: what several public programs do, whose check of
    /// the overlap is never true.
    case asPublished
  }

  /// When a part suits.
  public var rule: Rule
  /// The least overlaps that are drawn from, beside the whole image and no bound.
  public var overlaps: [Double]
  /// The least and the largest side of a part, of the image's.
  public var scale: [Double]
  /// The least and the largest height over width.
  public var aspect: [Double]

  /// Parts that are drawn for a bound.
  private static let trials = 50
  /// Bounds that are drawn before the image stays whole.
  private static let rounds = 40

  /// Makes the transform.
  public init(
    rule: Rule = .someObject, overlaps: [Double] = [0.1, 0.3, 0.5, 0.7, 0.9],
    scale: ClosedRange<Double> = 0.3...1, aspect: ClosedRange<Double> = 0.5...2
  ) {
    self.rule = rule
    self.overlaps = overlaps
    self.scale = [scale.lowerBound, scale.upperBound]
    self.aspect = [aspect.lowerBound, aspect.upperBound]
  }

  private enum CodingKeys: String, CodingKey, CaseIterable { case rule, overlaps, scale, aspect }

  /// Decodes the settings; all have defaults.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let usual = OverlapCrop()
    rule = try values.value(.rule, default: usual.rule)
    overlaps = try values.value(.overlaps, default: usual.overlaps)
    scale = try values.value(.scale, default: usual.scale)
    aspect = try values.value(.aspect, default: usual.aspect)
    guard overlaps.allSatisfy({ 0 <= $0 && $0 <= 1 }), overlaps.count <= 100 else {
      throw decoder.invalid("overlaps must lie in 0…1")
    }
    guard scale.count == 2, scale[0] > 0, scale[0] <= scale[1], scale[1] <= 1,
      aspect.count == 2, aspect[0] > 0, aspect[0] <= aspect[1], aspect[1].isFinite
    else {
      throw decoder.invalid(
        "scale must be [least, largest] within 0…1, aspect [least, largest], both positive")
    }
  }

  /// Draws a part of a picture with such objects; nil for all of it.
  package func part(
    of size: ImageSize, objects: [LabeledBox], random: inout RandomStream
  ) -> PixelRectangle? {
    guard !objects.isEmpty else { return nil }
    let (width, height) = (Double(size.width), Double(size.height))
    for _ in 0..<Self.rounds {
      let choice = random.below(overlaps.count + 2)
      if choice == 0 { return nil }
      let bound = choice <= overlaps.count ? overlaps[choice - 1] : 0
      for _ in 0..<Self.trials {
        let partWidth = width * random.uniform(scale[0], scale[1])
        let partHeight = height * random.uniform(scale[0], scale[1])
        guard aspect[0]...aspect[1] ~= partHeight / partWidth else { continue }
        let left = random.uniform(0, width - partWidth)
        let top = random.uniform(0, height - partHeight)
        let (x, y) = (Int(left), Int(top))
        let part = PixelRectangle(
          x: x, y: y, width: Int(left + partWidth) - x, height: Int(top + partHeight) - y)
        guard part.width > 0, part.height > 0 else { continue }
        if rule == .someObject,
          !objects.contains(where: { Self.overlap($0, part) >= bound })
        {
          continue
        }
        if objects.contains(where: { Self.shows($0, part) }) { return part }
      }
    }
    return nil
  }

  /// The objects that a part shows, in its pixels, cut off at its border.
  package static func objects(
    _ objects: [LabeledBox], in part: PixelRectangle
  ) -> [LabeledBox] {
    let motion = ImageMotion.shift(x: -part.x, y: -part.y)
    let size = ImageSize(height: part.height, width: part.width)
    return objects.filter { shows($0, part) }.compactMap { motion.apply(to: $0, in: size) }
  }

  /// Whether the centre of a box lies within a part, not on its border.
  private static func shows(_ box: LabeledBox, _ part: PixelRectangle) -> Bool {
    let x = (box.left + box.right) / 2 - Double(part.x)
    let y = (box.top + box.bottom) / 2 - Double(part.y)
    return x > 0 && x < Double(part.width) && y > 0 && y < Double(part.height)
  }

  /// Intersection over union.
  package static func overlap(_ box: LabeledBox, _ part: PixelRectangle) -> Double {
    let (left, top) = (Double(part.x), Double(part.y))
    let width = min(box.right, left + Double(part.width)) - max(box.left, left)
    let height = min(box.bottom, top + Double(part.height)) - max(box.top, top)
    guard width > 0, height > 0 else { return 0 }
    let shared = width * height
    let area = (box.right - box.left) * (box.bottom - box.top)
    return shared / (area + Double(part.width * part.height) - shared)
  }

  /// Applies the transform to a sample.
  func apply(to sample: inout Sample, random: inout RandomStream) {
    guard case .boxes(let boxes) = sample.target,
      let part = part(of: sample.image.size, objects: boxes, random: &random)
    else { return }
    sample.image = sample.image.window(
      x: part.x, y: part.y, size: ImageSize(height: part.height, width: part.width))
    sample.target = .boxes(Self.objects(boxes, in: part))
  }
}
