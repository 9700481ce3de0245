// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXImages
import MUXVision

/// The guesses for one file.
public struct ImagePrediction: Codable, Hashable, Sendable {
  /// The path of the image.
  public var path: String
  /// The classes, most likely first.
  public var guesses: [Prediction.Guess]
}

/// The guesses for many files.
public struct PredictionReport: Sendable {
  /// The images that could be read, in order.
  public var images: [ImagePrediction] = []
  /// One line for each that could not.
  public var failures: [String] = []
  /// What lies in the folders and is not among the images.
  public var leftOut = LeftOut()
}

extension Predictor {
  /// The names in a text file, one class per line; the number of a line is that of an output, so an
  /// empty one before the end is an error.
  public static func classNames(fromFile path: String) throws -> [String] {
    let text: String
    do { text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) } catch {
      throw ImageError.unreadable(name: path, reason: "no such text file")
    }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    while lines.last?.isEmpty == true { lines.removeLast() }
    if lines.first?.hasPrefix("\u{feff}") == true { lines[0].unicodeScalars.removeFirst() }
    if let empty = lines.firstIndex(of: "") {
      throw EvaluationError.emptyName(path: path, line: empty + 1)
    }
    return lines
  }

  /// Classifies images and all images below folders (`ImageFiles`).
  ///
  /// - Parameters:
  ///   - paths: Files and folders.
  ///   - count: How many guesses are kept for an image.
  ///   - batchSize: Images computed at once.
  ///   - body: Told of each image as soon as it is done.
  /// - Throws: If a path does not exist or the network fails; broken images are in the report.
  public func predict(
    paths: [String], top count: Int, batchSize: Int,
    _ body: (ImagePrediction, Image) throws -> Void
  ) throws -> PredictionReport {
    var report = PredictionReport()
    var batch: [(path: String, image: Image, prepared: (size: PixelSize, values: [Float]))] = []
    var bytes = 0
    func finish() throws {
      let predictions = try predict(
        prepared: batch.map(\.prepared), names: batch.map(\.path), top: count)
      for (entry, prediction) in zip(batch, predictions) {
        let result = ImagePrediction(path: entry.path, guesses: prediction.guesses)
        report.images.append(result)
        try body(result, entry.image)
      }
      batch = []
      bytes = 0
    }
    let files = try ImageFiles(paths)
    report.leftOut = files.leftOut
    for path in files.paths {
      do throws(ImageError) {
        let image = try Image(contentsOfFile: path, orientation: pipeline.orientation)
        do throws(ImageError) {
          batch.append((path, image, try prepared(image)))
          bytes += image.pixels.count
        } catch {
          report.failures.append("\(path): \(error)")
        }
      } catch {
        report.failures.append(error.description)
      }
      // Large pictures do not wait for a full batch.
      if batch.count == batchSize || bytes > 1 << 26 { try finish() }
    }
    try finish()
    return report
  }
}
