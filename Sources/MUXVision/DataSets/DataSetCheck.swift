// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization

/// What opening every image of a data set found: so that a broken file shows before a run, not in
/// the middle of an epoch.
public struct DataSetCheck: Sendable, Hashable, Codable {
  /// An image that cannot be read.
  public struct Failure: Sendable, Hashable, Codable {
    /// The file, or the place in one.
    public let name: String
    /// What is wrong with it, in one line.
    public let reason: String
  }

  /// The folder or data set.
  public let name: String
  /// The number of images, broken ones included.
  public let images: Int
  /// The classes.
  public let classNames: [String]
  /// The images of each class, in the order of the classes.
  public let classCounts: [Int]
  /// The smallest width and height, nil if no image could be read.
  public let smallest: PixelSize?
  /// The largest width and height, nil if no image could be read.
  public let largest: PixelSize?
  /// The images that cannot be read, in the order of the data set.
  public let failures: [Failure]
  /// Things that are allowed but probably not meant.
  public let warnings: [String]

  /// Decodes every image of a data set on several threads.
  ///
  /// - Parameters:
  ///   - dataSet: The data set.
  ///   - name: What to call it in the report.
  ///   - threads: How many images are decoded at once.
  ///   - progress: Called now and then with the images done, from any thread.
  public init(
    _ dataSet: any ImageDataSet, name: String, threads: Int = 2,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    let state = Mutex(State())
    let done = Atomic<Int>(0)
    parallelFor(dataSet.count, threads: threads) { index in
      do {
        let image = try dataSet.image(at: index)
        state.withLock { $0.see(width: image.width, height: image.height) }
      } catch {
        let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
        state.withLock { $0.failures[index] = line }
      }
      let count = done.add(1, ordering: .relaxed).newValue
      if count.isMultiple(of: 500) { progress(count) }
    }
    let (smallest, largest, failures) = state.withLock { ($0.smallest, $0.largest, $0.failures) }
    self.name = name
    images = dataSet.count
    classNames = dataSet.classNames
    classCounts = dataSet.classCounts
    self.smallest = smallest
    self.largest = largest
    self.failures = failures.sorted { $0.key < $1.key }
      .map { Failure(name: dataSet.name(at: $0.key), reason: $0.value) }
    warnings = dataSet.warnings.map(\.description)
  }

  private struct State {
    var smallest: PixelSize?
    var largest: PixelSize?
    var failures: [Int: String] = [:]

    mutating func see(width: Int, height: Int) {
      smallest = PixelSize(
        width: min(smallest?.width ?? width, width), height: min(smallest?.height ?? height, height)
      )
      largest = PixelSize(
        width: max(largest?.width ?? width, width), height: max(largest?.height ?? height, height))
    }
  }
}

extension DataSetCheck {
  /// Opens every part of the data at a path and checks it.
  ///
  /// A folder with `data_batch_1.bin` is CIFAR-10, one with `train.bin` is CIFAR-100; a folder with
  /// `train`, `val` or `test` is taken part by part; any other is one set of class folders.
  public static func parts(
    at path: String
  ) throws -> [(name: String, dataSet: any ImageDataSet)] {
    func exists(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: "\(path)/\(name)")
    }
    for (kind, marker) in [
      (CIFARDataSet.Kind.cifar10, "data_batch_1.bin"), (.cifar100, "train.bin"),
    ] where exists(marker) {
      return try [true, false].map { training in
        (
          "\(path) (\(kind.rawValue) \(training ? "training" : "test"))",
          try CIFARDataSet(path: path, kind: kind, training: training)
        )
      }
    }
    let parts = ["train", "val", "valid", "validation", "test"].filter(exists)
    guard !parts.isEmpty else {
      return [(path, try ImageFolder(path: path, allowsEmptyClasses: true))]
    }
    return try parts.map { part in
      ("\(path)/\(part)", try ImageFolder(path: "\(path)/\(part)", allowsEmptyClasses: true))
    }
  }
}
