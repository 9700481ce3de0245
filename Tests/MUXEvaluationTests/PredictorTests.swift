// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import MUXImages
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Predicting") struct PredictorTests {
  private func names(_ text: String) throws -> [String] {
    let folder = try TemporaryFolder()
    return try Predictor.classNames(fromFile: folder.write("names.txt", Array(text.utf8)))
  }

  @Test("Names of classes, a line each: ends of lines of any system, a byte order mark, spaces")
  func classNames() throws {
    #expect(try names("cat\ndog\n") == ["cat", "dog"])
    #expect(try names("\u{feff}cat\r\n dog \r\n\r\n") == ["cat", "dog"])
    #expect(try names("") == [])
  }

  @Test("A line without a name is an error with its number, since numbers are those of outputs")
  func emptyName() throws {
    let error = #expect(throws: EvaluationError.self) { try names("cat\n\ndog\n") }
    guard case .emptyName(_, let line) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(line == 2)
    #expect(throws: ImageError.self) { try Predictor.classNames(fromFile: "/none/names.txt") }
  }

  @Test("Images that are predicted together give what each gives alone")
  func batches() throws {
    let model = try BrightnessModel(classes: 2) { [2 * $0 - 1, 1 - 2 * $0] }
    let head = try MultiLabel().head(for: model.network, classNames: ["bright", "dark"])
    let predictor = Predictor(model, pipeline: Pixels.pipeline, head: head)
    let images = [0, 170, 255].map {
      Image(width: 1, height: 1, channels: 1, pixels: [UInt8($0)])
    }
    let together = try predictor.predict(images).compactMap { $0 as? LabelSet }
    #expect(together.count == 3)
    #expect(try images.map { try predictor.predict($0) as? LabelSet } == together)
    #expect(try predictor.predict([Image]()).isEmpty)
  }

  @Test("Images of different sizes cannot be one batch")
  func unequal() throws {
    let model = try BrightnessModel(classes: 2) { [$0, 0] }
    let head = try MultiLabel().head(for: model.network, classNames: ["a", "b"])
    let predictor = Predictor(model, pipeline: Pixels.pipeline, head: head)
    #expect(throws: (any Error).self) {
      try predictor.predict([
        Image(width: 1, height: 1, channels: 1, pixels: [0]),
        Image(width: 2, height: 1, channels: 1, pixels: [0, 0]),
      ])
    }
  }
}
