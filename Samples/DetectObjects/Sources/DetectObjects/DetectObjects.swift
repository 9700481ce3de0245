// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXRuntime
import MUXTasks

/// `DetectObjects MODEL IMAGE.ppm [SCORE]` prints the things in a binary PPM image: class, probability, and
/// left, top, right, bottom in pixels.
///
/// The model is a detector's file of `muxnet convert --to runtime` or `muxnet quantize`. It holds the default
/// boxes, the classes, the thresholds, and how images are prepared. An app hands over the pixels of a
/// camera in the same way, and draws the boxes where they are told.
@main
enum DetectObjects {
  static func main() {
    let arguments = CommandLine.arguments
    let score = arguments.count == 4 ? Double(arguments[3]) : nil
    guard arguments.count == 3 || score.map((0...1).contains) == true else {
      fail("usage: DetectObjects MODEL IMAGE.ppm [SCORE from 0 to 1]", code: 64)
    }
    do {
      let engine = try InferenceEngine(InferencePlan(model: arguments[1]))
      let image = try Image(portablePixmap: arguments[2])
      for thing in try engine.detect(image, settings: DecodingSettings(threshold: score)).boxes {
        let edges = [thing.left, thing.top, thing.right, thing.bottom]
        let place = edges.map { String(Int($0.rounded())) }.joined(separator: " ")
        print("\(thing.label): \((thing.probability * 1000).rounded() / 10) % at \(place)")
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
