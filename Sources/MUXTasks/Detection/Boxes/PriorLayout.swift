// SPDX-License-Identifier: Apache-2.0
public import MUXCore
import MUXImages

/// The default boxes ("priors") of a detector as settings: for each map of features, how far apart they
/// stand and how large they are.
///
/// At each position of a map there is a square of side a, one of side √(ab), and for each ratio r a box of
/// a√r × a/√r and one of a/√r × a√r, where a is the map's `minimum` and b its `maximum`.
public struct PriorLayout: Sendable, Hashable, Codable {
  /// What is done to numbers outside 0…1, where the image is 1 wide and high.
  public enum Clipping: String, Sendable, Hashable, Codable, CaseIterable {
    /// Centres and sides are moved to 0…1 (the recipe of the paper, and most public detectors).
    case centersAndSides
    /// Sides are at most 1 (torchvision).
    case sides
    /// Nothing (the original Caffe code).
    case none
  }

  /// The boxes of one map of features. Lengths are in pixels of an image of ``PriorLayout/imageSize``.
  public struct Map: Sendable, Hashable, Codable {
    /// Positions in the map.
    public var size: ImageSize
    /// From one position to the next.
    public var step: Double
    /// The side of the small square.
    public var minimum: Double
    /// The large square's side is √(minimum · maximum).
    public var maximum: Double
    /// Each gives a wide and a high box.
    public var ratios: [Double]

    /// A map.
    public init(
      size: ImageSize, step: Double, minimum: Double, maximum: Double, ratios: [Double] = [2, 3]
    ) {
      self.size = size
      self.step = step
      self.minimum = minimum
      self.maximum = maximum
      self.ratios = ratios
    }

    /// Boxes at each position.
    public var boxesPerPosition: Int { 2 + 2 * ratios.count }
    /// Boxes in all.
    public var count: Int { size.width * size.height * boxesPerPosition }

    private enum CodingKeys: String, CodingKey, CaseIterable {
      case size, step, minimum, maximum, ratios
    }

    /// Reads a map; ratios are 2 and 3 unless given.
    public init(from decoder: any Decoder) throws {
      let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
      self.init(
        size: try values.decode(SizeSetting.self, forKey: .size).size,
        step: try values.decode(Double.self, forKey: .step),
        minimum: try values.decode(Double.self, forKey: .minimum),
        maximum: try values.decode(Double.self, forKey: .maximum),
        ratios: try values.value(.ratios, default: [2, 3]))
      guard ([step, minimum, maximum] + ratios).allSatisfy({ $0 > 0 && $0 <= 65_536 }) else {
        throw decoder.invalid("step, minimum, maximum and ratios must lie above 0, up to 65536")
      }
      guard ratios.count <= 16, max(size.width, size.height) <= 4096 else {
        throw decoder.invalid("a map has at most 4096 positions a side and 16 ratios")
      }
    }

    /// Writes a map.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(SizeSetting(size), forKey: .size)
      try container.encode(step, forKey: .step)
      try container.encode(minimum, forKey: .minimum)
      try container.encode(maximum, forKey: .maximum)
      try container.encode(ratios, forKey: .ratios)
    }
  }

  /// The image that the lengths are given for.
  public var imageSize: ImageSize
  /// What is done to numbers outside the image.
  public var clipping: Clipping
  /// The maps, in the order of the network's outputs.
  public var maps: [Map]

  /// A layout.
  public init(imageSize: ImageSize, clipping: Clipping = .centersAndSides, maps: [Map]) {
    self.imageSize = imageSize
    self.clipping = clipping
    self.maps = maps
  }

  /// Boxes in all.
  public var count: Int { maps.reduce(0) { $0 + $1.count } }

  private enum CodingKeys: String, CodingKey, CaseIterable { case imageSize, clipping, maps }

  /// Reads a layout.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    self.init(
      imageSize: try values.decode(SizeSetting.self, forKey: .imageSize).size,
      clipping: try values.value(.clipping, default: .centersAndSides),
      maps: try values.list(of: Map.self, .maps, atMost: 32))
    guard !maps.isEmpty, count <= Self.limit else {
      throw decoder.invalid("there must be a map, and at most \(Self.limit) default boxes in all")
    }
  }

  /// Writes a layout.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(SizeSetting(imageSize), forKey: .imageSize)
    try container.encode(clipping, forKey: .clipping)
    try container.encode(maps, forKey: .maps)
  }

  /// More boxes than any detector has.
  static let limit = 1 << 20

  /// The boxes: map by map, row by row, then as the type says. Computed in double precision and rounded
  /// once.
  public var boxes: PriorBoxes {
    var rows: [Float] = []
    rows.reserveCapacity(4 * count)
    let (width, height) = (Double(imageSize.width), Double(imageSize.height))
    func limited(_ value: Double, _ whether: Bool) -> Float {
      Float(whether ? min(max(value, 0), 1) : value)
    }
    let (clipsCenters, clipsSides) = (clipping == .centersAndSides, clipping != .none)
    for map in maps {
      let large = (map.minimum * map.maximum).squareRoot()
      var sides = [(map.minimum, map.minimum), (large, large)]
      for ratio in map.ratios.map({ $0.squareRoot() }) {
        sides.append((map.minimum * ratio, map.minimum / ratio))
        sides.append((map.minimum / ratio, map.minimum * ratio))
      }
      for y in 0..<map.size.height {
        let centerY = limited((Double(y) + 0.5) * map.step / height, clipsCenters)
        for x in 0..<map.size.width {
          let centerX = limited((Double(x) + 0.5) * map.step / width, clipsCenters)
          for (sideX, sideY) in sides {
            rows.append(centerX)
            rows.append(centerY)
            rows.append(limited(sideX / width, clipsSides))
            rows.append(limited(sideY / height, clipsSides))
          }
        }
      }
    }
    return PriorBoxes(rows: rows)
  }
}
