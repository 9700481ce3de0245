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
}

extension Predictor {
  /// The names in a text file, one class per line.
  public static func classNames(fromFile path: String) throws -> [String] {
    let text: String
    do { text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8) } catch {
      throw ImageError.unreadable(name: path, reason: "no such text file")
    }
    var lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .map { $0.trimmingCharacters(in: .whitespaces) }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  /// Classifies images and all images below folders.
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
    var batch: [(path: String, image: Image)] = []
    func finish() throws {
      let predictions = try predict(
        batch.map(\.image), names: batch.map(\.path), top: count)
      for (entry, prediction) in zip(batch, predictions) {
        let result = ImagePrediction(path: entry.path, guesses: prediction.guesses)
        report.images.append(result)
        try body(result, entry.image)
      }
      batch = []
    }
    for path in try Self.files(paths) {
      do { batch.append((path, try Image(contentsOfFile: path))) } catch {
        report.failures.append(error.description)
      }
      if batch.count == batchSize { try finish() }
    }
    try finish()
    return report
  }

  /// The images among paths and below the folders among them, sorted.
  static func files(_ paths: [String]) throws -> [String] {
    try paths.flatMap { path -> [String] in
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
        throw ImageError.unreadable(name: path, reason: "no such file or folder")
      }
      guard isFolder.boolValue else { return [path] }
      let found = try FileManager.default.subpathsOfDirectory(atPath: path)
        .filter { ImageFormat.isImageName($0) }.sorted().map { "\(path)/\($0)" }
      guard !found.isEmpty else { throw DataSetError.noImages(path: path) }
      return found
    }
  }
}
