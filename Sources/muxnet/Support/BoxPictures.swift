// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXVision

/// Pictures with boxes drawn into them, in a folder.
struct BoxPictures {
  private let folder: String

  /// Makes the folder.
  init(folder: String) throws {
    self.folder = folder
    try Folders.make(folder)
  }

  /// Draws boxes into an image, and writes it as a PNG of its name.
  func draw(_ boxes: [DrawnBox], into image: Image, path: String) throws {
    // Images of several folders may have one name.
    let name = path.split(separator: "/").filter { $0 != "." && $0 != ".." }
      .joined(separator: "_")
    try image.drawing(boxes).writePNG(to: "\(folder)/\(name).png")
  }
}
