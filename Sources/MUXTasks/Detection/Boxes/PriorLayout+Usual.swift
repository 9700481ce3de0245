// SPDX-License-Identifier: Apache-2.0
public import MUXCore

extension PriorLayout {
  /// What the public detectors on mobile backbones have on 300×300 pixels: six boxes at each position of
  /// six maps, 3,000 in all.
  public static let mobile300: PriorLayout = {
    let maps: [(side: Int, step: Double)] = [
      (19, 16), (10, 32), (5, 64), (3, 100), (2, 150), (1, 300),
    ]
    return PriorLayout(
      imageSize: 300,
      maps: maps.enumerated().map { index, map in
        let minimum = Double(60 + 45 * index)
        return Map(
          size: ImageSize(map.side), step: map.step, minimum: minimum, maximum: minimum + 45)
      })
  }()

  /// The same with a map at stride 8 before, for small things: 8,776 boxes.
  public static let fine300 = PriorLayout(
    imageSize: 300,
    maps: [Map(size: 38, step: 8, minimum: 24, maximum: 60, ratios: [2])] + mobile300.maps)

  /// SSD300 on VGG16 as it is trained on PASCAL VOC: 8,732 boxes.
  public static let vgg300VOC: PriorLayout = {
    let maps = [(38, 8.0), (19, 16), (10, 32), (5, 64), (3, 100), (1, 300)]
    let sides: [Double] = [30, 60, 111, 162, 213, 264, 315]
    return PriorLayout(
      imageSize: 300,
      maps: maps.indices.map { index in
        Map(
          size: ImageSize(maps[index].0), step: maps[index].1,
          minimum: sides[index], maximum: sides[index + 1],
          ratios: (1...3).contains(index) ? [2, 3] : [2])
      })
  }()

  /// torchvision's SSDLite on 320×320 pixels: 3,234 boxes.
  public static let torchvisionSSDLite320: PriorLayout = {
    let scales: [Double] = [0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1]
    return PriorLayout(
      imageSize: 320, clipping: .sides,
      maps: [20, 10, 5, 3, 2, 1].enumerated().map { index, side in
        Map(
          size: ImageSize(side), step: 320 / Double(side), minimum: scales[index] * 320,
          maximum: scales[index + 1] * 320)
      })
  }()

  /// The boxes of a detector that comes without: those of the public detectors where its maps are
  /// theirs, else boxes whose sides grow evenly from 0.2 to 0.95 of the image.
  ///
  /// - Parameters:
  ///   - maps: Positions and boxes at each for every map.
  ///   - imageSize: The network's image size.
  /// - Returns: Nil where the number of boxes at a position is none that the type can give.
  public static func usual(
    maps: [(size: ImageSize, boxesPerPosition: Int)], imageSize: ImageSize
  ) -> PriorLayout? {
    for known in [mobile300, fine300, vgg300VOC, torchvisionSSDLite320]
    where known.imageSize == imageSize {
      if known.maps.count == maps.count,
        zip(known.maps, maps).allSatisfy({
          $0.size == $1.size && $0.boxesPerPosition == $1.boxesPerPosition
        })
      {
        return known
      }
    }
    guard !maps.isEmpty else { return nil }
    let side = Double(min(imageSize.width, imageSize.height))
    if isFine(maps), let others = usual(maps: Array(maps.dropFirst()), imageSize: imageSize) {
      let finest = Map(
        size: maps[0].size, step: Double(imageSize.width) / Double(maps[0].size.width),
        minimum: 0.08 * side, maximum: 0.2 * side, ratios: [2])
      return PriorLayout(imageSize: imageSize, maps: [finest] + others.maps)
    }
    let growth = maps.count > 1 ? 0.75 / Double(maps.count - 1) : 0
    var result: [Map] = []
    for (index, map) in maps.enumerated() {
      guard map.boxesPerPosition >= 2, map.boxesPerPosition.isMultiple(of: 2) else { return nil }
      let last = index == maps.count - 1
      result.append(
        Map(
          size: map.size, step: Double(imageSize.width) / Double(map.size.width),
          minimum: side * (0.2 + growth * Double(index)),
          maximum: side * (last ? 1 : 0.2 + growth * Double(index + 1)),
          ratios: (0..<(map.boxesPerPosition / 2 - 1)).map { Double($0 + 2) }))
    }
    return PriorLayout(imageSize: imageSize, maps: result)
  }
  /// Whether maps are those of the zoo's detectors with a map at stride 8: four boxes there, six at each
  /// position of the six others.
  private static func isFine(_ maps: [(size: ImageSize, boxesPerPosition: Int)]) -> Bool {
    maps.map(\.boxesPerPosition) == [4] + [Int](repeating: 6, count: 6)
  }
}
