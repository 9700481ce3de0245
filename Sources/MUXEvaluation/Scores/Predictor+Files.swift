// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXImages
public import MUXTasks
import MUXVision

/// What is said about one file. In JSON the keys of the task's output stand beside the path.
public struct ImagePrediction: Encodable, Sendable {
  /// The path of the image.
  public var path: String
  /// What is said about it.
  public var output: any TaskOutput

  private enum CodingKeys: String, CodingKey { case path }

  /// Writes the path and the output's keys as one object.
  public func encode(to encoder: any Encoder) throws {
    try output.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(path, forKey: .path)
  }
}

/// What is said about many files.
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
    do { text = try TextFile.read(path, limit: 1 << 24) } catch {
      throw ImageError.unreadable(
        name: path, reason: error.code == ENOENT ? "no such text file" : error.cause)
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

  /// The formats that the task has for predictions, beside text and JSON.
  public var formatNames: [String] {
    func names(_ head: some TaskHead) -> [String] { head.formats.map(\.name) }
    return names(head)
  }

  /// Predictions in one of the task's formats.
  ///
  /// - Throws: `TaskError` for a name that is not among ``formatNames``.
  public func text(of images: [ImagePrediction], format: String) throws -> String {
    func write<Head: TaskHead>(_ head: Head) throws -> String {
      guard let writer = head.formats.first(where: { $0.name == format }) else {
        throw TaskError.unknownFormat(name: format, known: formatNames)
      }
      return try writer.text(
        images.compactMap { image in
          (image.output as? Head.Output).map { (path: image.path, output: $0) }
        })
    }
    return try write(head)
  }

  /// Says about images and all images below folders (`ImageFiles`) what their network is for.
  ///
  /// - Parameters:
  ///   - paths: Files and folders.
  ///   - given: Image files that are in memory, and their names; they come first.
  ///   - settings: How much is said about an image.
  ///   - batchSize: Images computed at once.
  ///   - body: Told of each image as soon as it is done.
  /// - Throws: If a path does not exist or the network fails; broken images are in the report.
  public func predict(
    paths: [String], given: [(name: String, bytes: [UInt8])] = [], settings: DecodingSettings,
    batchSize: Int, _ body: (ImagePrediction, Image) throws -> Void
  ) throws -> PredictionReport {
    var report = PredictionReport()
    var batch: [(path: String, image: Image, prepared: (size: ImageSize, values: [Float]))] = []
    var bytes = 0
    func finish() throws {
      let predictions = try predict(
        prepared: batch.map(\.prepared), original: batch.map(\.image.size),
        names: batch.map(\.path), settings: settings)
      for (entry, output) in zip(batch, predictions) {
        let result = ImagePrediction(path: entry.path, output: output)
        report.images.append(result)
        try body(result, entry.image)
      }
      batch = []
      bytes = 0
    }
    let files = try ImageFiles(paths)
    report.leftOut = files.leftOut
    func add(_ path: String, _ read: () throws(ImageError) -> Image) throws {
      do throws(ImageError) {
        let image = try read()
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
    let orientation = pipeline.orientation
    for (name, bytes) in given {
      try add(name) { () throws(ImageError) in
        try Image(data: bytes, name: name, orientation: orientation)
      }
    }
    for path in files.paths {
      try add(path) { () throws(ImageError) in
        try Image(contentsOfFile: path, orientation: orientation)
      }
    }
    try finish()
    return report
  }
}
