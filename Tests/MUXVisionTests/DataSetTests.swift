// SPDX-License-Identifier: Apache-2.0

import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Synchronization
import Testing

@Suite struct ImageFolderTests {
  private let png: [UInt8]

  init() throws { png = try noise(width: 4, height: 3).pngData() }

  @Test("classes are sorted sub-folders, files are taken by extension in any case")
  func lists() throws {
    let folder = try TemporaryFolder()
    for name in ["b/2.PNG", "b/1.png", "b/deep/3.png", "a/x.JpEg", "a/.hidden.png", "a/notes.txt"] {
      try folder.write(name, png)
    }
    try folder.write("readme.md", [])
    try folder.makeFolder(".git")
    let data = try ImageFolder(path: folder.path)
    #expect(data.classNames == ["a", "b"])
    #expect(
      (0..<data.count).map { data.name(at: $0) }
        == [
          "a/x.JpEg", "b/1.png", "b/2.PNG", "b/deep/3.png",
        ].map { "\(folder.path)/\($0)" })
    #expect((0..<data.count).map { data.target(at: $0) } == [0, 1, 1, 1].map { .label($0) })
    #expect(data.classCounts == [1, 3])
    #expect(data.warnings.isEmpty)
    // The format is told by the content: x.JpEg is a PNG file.
    #expect(try data.sample(at: 0).image == noise(width: 4, height: 3))
  }

  @Test("a missing folder, an empty one and one without class folders are clear errors")
  func noClasses() throws {
    let folder = try TemporaryFolder()
    #expect(throws: DataSetError.notAFolder(path: "\(folder.path)/none")) {
      try ImageFolder(path: "\(folder.path)/none")
    }
    #expect(throws: DataSetError.noClasses(path: folder.path, images: 0)) {
      try ImageFolder(path: folder.path)
    }
    try folder.write("1.png", png)
    #expect(throws: DataSetError.noClasses(path: folder.path, images: 1)) {
      try ImageFolder(path: folder.path)
    }
    try folder.makeFolder("a")
    #expect {
      try ImageFolder(path: folder.path)
    } throws: {
      guard case DataSetError.noImages(folder.path, let leftOut) = $0 else { return false }
      return leftOut.groups.map(\.reason) == [.withoutClass]
    }
  }

  @Test("an empty class is an error, or a warning where it is allowed")
  func emptyClass() throws {
    let folder = try TemporaryFolder()
    try folder.write("a/1.png", png)
    try folder.makeFolder("b")
    #expect(throws: DataSetError.emptyClasses(path: folder.path, classes: ["b"])) {
      try ImageFolder(path: folder.path)
    }
    let data = try ImageFolder(path: folder.path, allowsEmptyClasses: true)
    #expect(data.warnings == [.emptyClasses(["b"])])
  }

  @Test("a single class is a warning")
  func singleClass() throws {
    let folder = try TemporaryFolder()
    try folder.write("cats/1.png", png)
    let data = try ImageFolder(path: folder.path)
    #expect(data.warnings == [.singleClass("cats")])
  }

  @Test("given classes fix the labels; other folders are an error")
  func givenClasses() throws {
    let folder = try TemporaryFolder()
    try folder.write("a/1.png", png)
    try folder.write("b/1.png", png)
    let data = try ImageFolder(path: folder.path, classNames: ["b", "a"])
    #expect(data.name(at: 0).hasSuffix("b/1.png") && data.target(at: 0) == .label(0))
    #expect(
      throws: DataSetError.otherClasses(path: folder.path, unexpected: ["b"], missing: ["c"])
    ) {
      try ImageFolder(path: folder.path, classNames: ["a", "c"])
    }
  }
}

@Suite struct DigitsTests {
  @Test("the digits are scikit-learn's: counts, sums and the first image")
  func content() throws {
    let digits = DigitsDataSet()
    #expect(digits.count == 1_797)
    #expect(digits.classCounts == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    #expect(
      digits.values(at: 0) == [
        0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0, 0, 3, 15, 2, 0, 11, 8, 0, 0, 4, 12,
        0, 0, 8, 8, 0, 0, 5, 8, 0, 0, 9, 8, 0, 0, 4, 11, 0, 1, 12, 7, 0, 0, 2, 14, 5, 10, 12, 0,
        0, 0, 0, 6, 13, 10, 0, 0, 0,
      ])
    let sum = (0..<digits.count).reduce(0) { $0 + digits.values(at: $1).reduce(0) { $0 + Int($1) } }
    #expect(sum == 561_718)
    let image = try digits.image(at: 0)
    #expect(image.width == 8 && image.height == 8 && image.channels == 1)
    #expect(image[3, 0, 0] == 207)  // 13 of 16
  }
}

@Suite struct SplitTests {
  @Test("parts are disjoint, have each class's share, and follow from the seed")
  func stratified() throws {
    let digits = DigitsDataSet()
    let parts = try digits.split(fractions: [0.7, 0.1, 0.2], seed: 4)
    #expect(parts.map(\.count).reduce(0, +) == 1_797)
    #expect(Set(parts.flatMap(\.indices)).count == 1_797)
    for (part, fraction) in zip(parts, [0.7, 0.1, 0.2]) {
      for (count, whole) in zip(part.classCounts, digits.classCounts) {
        #expect(abs(Double(count) - fraction * Double(whole)) <= 1)
      }
    }
    #expect(
      try digits.split(fractions: [0.7, 0.1, 0.2], seed: 4).map(\.indices) == parts.map(\.indices))
    #expect(try digits.split(fractions: [0.7, 0.1, 0.2], seed: 5)[0].indices != parts[0].indices)
    #expect(try parts[0].image(at: 5) == digits.image(at: parts[0].indices[5]))
  }

  @Test("impossible splits are errors")
  func impossible() throws {
    let data = MemoryDataSet(count: 4)
    #expect(throws: DataSetError.self) { try data.split(fractions: [0.8, 0.4], seed: 0) }
    #expect(throws: DataSetError.self) { try data.split(fractions: [0.99, 0.01], seed: 0) }
    #expect(throws: DataSetError.self) { try data.split(fractions: [1, 0], seed: 0) }
    #expect(throws: DataSetError.self) { try data.split(fractions: [], seed: 0) }
  }
}

@Suite struct CachedDataSetTests {
  @Test("a cache gives the same samples whether or not all fit", arguments: [10, 1_000, 1 << 20])
  func sameSamples(limit: Int) throws {
    var data = MemoryDataSet(count: 600, width: 5, height: 4)
    data.images[1] = noise(width: 9, height: 2, channels: 1)
    let cached = try CachedDataSet(data, memoryLimit: limit)
    #expect(cached.cachedBytes <= limit)
    #expect(cached.cachedCount == [10: 0, 1_000: 17, 1 << 20: 600][limit])
    for index in 0..<data.count {
      #expect(try cached.image(at: index) == data.images[index])
      #expect(cached.target(at: index) == data.target(at: index))
    }
  }

  /// Counts the images that are decoded and not yet given back.
  private final class WatchedDataSet: ImageDataSet {
    let images: [Image]
    let decoded = Mutex<[Int]>([])
    init(_ images: [Image]) { self.images = images }
    var count: Int { images.count }
    var classNames: [String] { ["a", "b"] }
    func target(at index: Int) -> Target { .label(index % 2) }
    func name(at index: Int) -> String { "image \(index)" }
    func image(at index: Int) throws -> Image {
      decoded.withLock { $0.append(index) }
      return images[index]
    }
  }

  @Test("large images are counted while the cache fills: it stops within a few of its budget")
  func budget() throws {
    // 1 MB each, room for five and a half.
    let data = WatchedDataSet(
      (0..<60).map { Image(width: 1_000, height: 1_000, color: [UInt8($0)]) })
    let cached = try CachedDataSet(data, memoryLimit: 5_500_000, threads: 2)
    #expect(cached.cachedCount == 5 && cached.cachedBytes == 5_000_000)
    #expect(data.decoded.withLock(\.count) <= 12)
    #expect(
      cached.warnings == [.partlyCached(images: 5, of: 60, bytes: 5_500_000)])
    #expect("\(cached.warnings[0])".contains("holds 5 of 60 images"))
    let whole = try CachedDataSet(data, memoryLimit: 1 << 30)
    #expect(whole.cachedCount == 60 && whole.warnings.isEmpty)
  }

  @Test("one image that does not fit does not keep the others out")
  func outlier() throws {
    var data = MemoryDataSet(count: 300, width: 5, height: 4)
    data.images[0] = noise(width: 90, height: 90)
    let cached = try CachedDataSet(data, memoryLimit: 299 * 60)
    #expect(cached.cachedCount == 299)
    #expect(try cached.image(at: 0) == data.images[0])
  }

  @Test("images kept at the size that the network needs give the batches of whole ones")
  func prepared() throws {
    var data = MemoryDataSet(count: 30, width: 50, height: 41)
    data.images[3] = noise(width: 6, height: 5)  // smaller than the network's: kept as it is
    data.images[4] = noise(width: 70, height: 33, channels: 1)
    let pipeline = ImagePipeline(
      transforms: [
        .resize(Resize(size: 16, interpolation: .bicubic)),
        .randomCrop(RandomCrop(size: 16, padding: 2)), .horizontalFlip(),
      ], mean: [0.4, 0.5, 0.6], standardDeviation: [0.2, 0.2, 0.2])
    let (fixed, rest) = pipeline.preparation
    #expect(fixed.count == 1 && rest.transforms.count == 2)
    let cached = try CachedDataSet(data, memoryLimit: 20 * 16 * 16 * 3, preparation: fixed)
    #expect(cached.cachedCount > 19 && cached.cachedCount < 30)
    let settings = LoaderSettings(batchSize: 30, shuffles: true, seed: 4, workers: 0)
    let one = try DataLoader(data, pipeline: pipeline, settings: settings)
    let two = try DataLoader(cached, pipeline: rest, settings: settings)
    for epoch in 0..<2 {
      #expect(
        try one.batch(epoch: epoch, index: 0).pixels
          == two.batch(epoch: epoch, index: 0).pixels)
    }
  }

  @Test("a broken file fails the cache by name")
  func broken() throws {
    let folder = try TemporaryFolder()
    let png = try noise(width: 4, height: 3).pngData()
    try folder.write("a/1.png", png)
    try folder.write("a/2.png", Array("not a picture".utf8))
    let data = try ImageFolder(path: folder.path)
    #expect(throws: ImageError.unknownFormat(name: "\(folder.path)/a/2.png")) {
      try CachedDataSet(data)
    }
  }
}

@Suite struct CIFARTests {
  @Test("CIFAR-10 and CIFAR-100 records are read as planes with their (fine) label")
  func reads() throws {
    let folder = try TemporaryFolder()
    let planes = (0..<3072).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try folder.write("test_batch.bin", [3] + planes + [9] + planes.reversed())
    try folder.write("test.bin", [5, 77] + planes)
    let ten = try CIFARDataSet(path: folder.path, kind: .cifar10, training: false)
    #expect(ten.count == 2 && ten.target(at: 0) == .label(3) && ten.target(at: 1) == .label(9))
    #expect(ten.classNames[3] == "cat")
    let image = try ten.image(at: 0)
    #expect(image[5, 2, 0] == planes[69])
    #expect(image[5, 2, 1] == planes[69 + 1024])
    #expect(image[5, 2, 2] == planes[69 + 2048])
    let hundred = try CIFARDataSet(path: folder.path, kind: .cifar100, training: false)
    #expect(hundred.target(at: 0) == .label(77))
    #expect(hundred.classNames.count == 100)
  }

  @Test("missing, cut-off and mislabelled files are errors that name the file")
  func badFiles() throws {
    let folder = try TemporaryFolder()
    #expect {
      try CIFARDataSet(path: folder.path, kind: .cifar10, training: false)
    } throws: { error in
      guard
        case .missingFiles(folder.path, ["test_batch.bin"], let advice)? = error as? DataSetError
      else { return false }
      return advice.contains("binary version")
    }
    let file = try folder.write("test_batch.bin", [UInt8](repeating: 1, count: 3072))
    #expect(throws: DataSetError.wrongSize(path: file, actual: 3072, recordSize: 3073)) {
      try CIFARDataSet(path: folder.path, kind: .cifar10, training: false)
    }
    try folder.write("test_batch.bin", [10] + [UInt8](repeating: 1, count: 3072))
    #expect(throws: DataSetError.self) {
      try CIFARDataSet(path: folder.path, kind: .cifar10, training: false)
    }
  }
}

@Suite("Export of data sets")
struct DataExportTests {
  @Test("Exported digits are the same pictures, in folders of their classes")
  func digits() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "export-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    let data = DigitsDataSet()
    let paths = try DataExport(data, limit: 10).write(to: folder.path(percentEncoded: false))
    #expect(paths.count == 10)
    let indices = DataExport(data, limit: 10).indices
    #expect(indices.first == 0 && indices.last == 9 * data.count / 10)
    for (path, index) in zip(paths, indices) {
      #expect(try Image(contentsOfFile: path) == data.image(at: index))
      let parts = path.split(separator: "/")
      #expect(String(parts[parts.count - 2]) == data.classNames[data.target(at: index).classes[0]])
    }
  }
}
