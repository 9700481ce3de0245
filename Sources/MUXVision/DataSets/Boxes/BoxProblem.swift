// SPDX-License-Identifier: Apache-2.0
import MUXCore

/// Something about the boxes of a data set that is not as it should be, and what was done about it.
public enum BoxProblem: String, Sendable, Hashable, Codable, CaseIterable {
  /// A box without width or height; it is left out.
  case withoutArea
  /// A box of which nothing lies in its image; it is left out.
  case outside
  /// A box of which some lies outside its image; it is cut off at the border.
  case partlyOutside
  /// A box of a class that is not among those of the training; it is left out.
  case unknownClass
  /// A box of an image that the file does not have; it is left out.
  case unknownImage

  func text(count: Int, example: String) -> String {
    let boxes = "\(count) box\(count == 1 ? "" : "es")"
    let such = "such as one of \(example.printable)"
    return switch self {
    case .withoutArea: "\(boxes) without width or height left out, \(such)"
    case .outside: "\(boxes) outside the image left out, \(such)"
    case .partlyOutside: "\(boxes) partly outside the image cut off at its border, \(such)"
    case .unknownClass:
      "\(boxes) of classes that are not among the others left out, \(such)"
    case .unknownImage: "\(boxes) of images that the file does not have left out, \(such)"
    }
  }
}
