// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXCore
public import MUXImages

/// CIFAR-10 or CIFAR-100 (Krizhevsky, 2009) from its binary files, held in memory.
public struct CIFARDataSet: ImageDataSet {
  /// Which of the two.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    /// 10 classes: `data_batch_1.bin` … `data_batch_5.bin`, `test_batch.bin`.
    case cifar10
    /// 100 fine classes: `train.bin`, `test.bin`.
    case cifar100

    /// Bytes before the pixels of a record: the label, of CIFAR-100 the coarse label before it.
    var labelBytes: Int { self == .cifar10 ? 1 : 2 }
    /// Bytes of a record: labels and 3 planes of 32×32.
    var recordSize: Int { labelBytes + 3072 }
    var classCount: Int { self == .cifar10 ? 10 : 100 }
    var namesFile: String { self == .cifar10 ? "batches.meta.txt" : "fine_label_names.txt" }

    func files(training: Bool) -> [String] {
      switch (self, training) {
      case (.cifar10, true): (1...5).map { "data_batch_\($0).bin" }
      case (.cifar10, false): ["test_batch.bin"]
      case (.cifar100, true): ["train.bin"]
      case (.cifar100, false): ["test.bin"]
      }
    }
  }

  /// Which of the two data sets.
  public let kind: Kind
  /// The classes, from the names file of the data set if it is there.
  public let classNames: [String]
  /// The number of images.
  public let count: Int

  private let path: String
  private let part: String
  private let labels: [UInt8]
  private let pixels: [UInt8]  // interleaved, 3072 an image

  /// Reads the binary files of one part.
  /// - Parameters:
  ///   - path: The folder with the `.bin` files.
  ///   - kind: CIFAR-10 or CIFAR-100.
  ///   - training: True for the training images, false for the test images.
  /// - Throws: `DataSetError` or `ImageError` if a file is missing, of a wrong size, or has a
  ///   label outside the classes.
  public init(path: String, kind: Kind, training: Bool) throws {
    let files = kind.files(training: training)
    let missing = files.filter { !FileManager.default.fileExists(atPath: "\(path)/\($0)") }
    guard missing.isEmpty else {
      throw DataSetError.missingFiles(
        path: path, files: missing,
        advice:
          "unpack the binary version of the data set there, or set data.source to folder for folders"
          + " of images")
    }
    var labels: [UInt8] = []
    var pixels: [UInt8] = []
    for file in files {
      let bytes = try FileAccess.read("\(path)/\(file)")
      let size = kind.recordSize
      guard !bytes.isEmpty && bytes.count % size == 0 else {
        throw DataSetError.wrongSize(
          path: "\(path)/\(file)", actual: bytes.count, recordSize: size)
      }
      pixels.reserveCapacity(files.count * bytes.count)
      for record in 0..<(bytes.count / size) {
        let label = bytes[record * size + kind.labelBytes - 1]
        guard label < kind.classCount else {
          throw DataSetError.wrongLabel(
            name: "\(path)/\(file), image \(record)", label: Int(label),
            classCount: kind.classCount)
        }
        labels.append(label)
        let red = record * size + kind.labelBytes
        for pixel in red..<(red + 1024) {
          pixels.append(bytes[pixel])
          pixels.append(bytes[pixel + 1024])
          pixels.append(bytes[pixel + 2048])
        }
      }
    }
    self.kind = kind
    self.path = path
    self.part = training ? "training" : "test"
    self.labels = labels
    self.pixels = pixels
    self.count = labels.count
    self.classNames = try Self.names(path: path, kind: kind)
  }

  /// The label of an image.
  public func target(at index: Int) -> Target { .label(Int(labels[index])) }

  /// The place of an image: folder, part and number.
  public func name(at index: Int) -> String { "\(path), \(part) image \(index)" }

  /// An image of 32×32, RGB.
  public func image(at index: Int) throws -> Image {
    Image(
      width: 32, height: 32, channels: 3,
      pixels: Array(pixels[(index * 3072)..<((index + 1) * 3072)]))
  }

  /// A hash of the labels and of some of the pixels of each image, wherever the files lie.
  public var contentHash: UInt64 {
    var hash = StableHash()
    for (index, label) in labels.enumerated() {
      hash.add(Int(label))
      for pixel in stride(from: index * 3072, to: (index + 1) * 3072, by: 128) {
        hash.add(Int(pixels[pixel]))
      }
    }
    return hash.value
  }

  private static func names(path: String, kind: Kind) throws -> [String] {
    let file = "\(path)/\(kind.namesFile)"
    if FileManager.default.fileExists(atPath: file) {
      let text = String(decoding: try FileAccess.read(file), as: UTF8.self)
      let names = text.split(whereSeparator: \.isNewline).map { String($0) }
        .filter { !$0.allSatisfy(\.isWhitespace) }
      if names.count == kind.classCount { return names }
    }
    if kind == .cifar10 {
      return [
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
      ]
    }
    return (0..<kind.classCount).map { "class \($0)" }
  }
}
