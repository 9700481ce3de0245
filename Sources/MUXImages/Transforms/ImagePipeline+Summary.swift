// SPDX-License-Identifier: Apache-2.0

extension ImagePipeline {
  /// The steps in a few words, such as "resize the shorter side to 256 (bilinear), middle 224×224".
  package var summary: String {
    var parts = transforms.map(\.summary)
    if orientation == .applied { parts.insert("upright", at: 0) }
    func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ", ") }
    let order = channels == 1 ? "grey" : channelOrder.rawValue.uppercased()
    parts.append("\(order), (value − [\(list(mean))]) / [\(list(standardDeviation))]")
    return parts.joined(separator: ", ")
  }
}

extension ImageTransform {
  /// The step in a few words.
  var summary: String {
    switch self {
    case .resize(let resize):
      if let side = resize.shorterSide {
        "resize the shorter side to \(side) (\(resize.interpolation.rawValue))"
      } else {
        "resize to \(resize.size?.description ?? "the same") (\(resize.interpolation.rawValue))"
      }
    case .centerCrop(let size): "middle \(size)"
    case .randomCrop(let crop): "random crop of \(crop.size)"
    case .randomResizedCrop(let crop): "random resized crop of \(crop.size)"
    case .horizontalFlip(let probability): "mirrored with probability \(probability)"
    case .colorJitter: "random colours"
    case .randAugment: "RandAugment"
    case .letterbox(let letterbox): "fitted into \(letterbox.size), the rest of one colour"
    case .photometricDistortion: "distorted colours"
    case .randomExpansion: "on a larger ground at random"
    case .overlapCrop: "random part that shows objects"
    }
  }
}
