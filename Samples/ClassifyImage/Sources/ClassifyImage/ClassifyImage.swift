// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXRuntime

/// `ClassifyImage MODEL IMAGE.ppm` prints the five most likely classes of a binary PPM image.
///
/// The model is a file of `muxnet convert --to runtime`, which says how images are prepared. PPM needs no
/// library; an app hands over the pixels of a camera or of its system's decoder in the same way.
@main
enum ClassifyImage {
  static func main() {
    let arguments = CommandLine.arguments
    guard arguments.count == 3 else {
      fail("usage: ClassifyImage MODEL IMAGE.ppm", code: 64)
    }
    do {
      let plan = try InferencePlan(model: arguments[1])
      let engine = try InferenceEngine(plan)
      for guess in try engine.classify(Image(portablePixmap: arguments[2])) {
        print("\(guess.label): \((guess.probability * 1000).rounded() / 10) %")
      }
    } catch {
      fail("error: \(error)", code: 1)
    }
  }

  private static func fail(_ message: String, code: Int32) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(code)
  }
}
