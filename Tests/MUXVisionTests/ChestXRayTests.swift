// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("ChestX-ray14 as it is distributed", .tags(.processes), .endsSometime) struct ChestXRayTests
{
  private let folder: TemporaryFolder
  private static let header =
    "Image Index,Finding Labels,Follow-up #,Patient ID,OriginalImage[Width,Height],"

  init() throws { folder = try TemporaryFolder() }

  private func text(_ name: String, _ lines: [String], end: String = "\n") throws {
    // The lists that are distributed have no newline at their end.
    try folder.write(name, Array(lines.joined(separator: end).utf8))
  }

  private func image(_ name: String, _ seed: UInt64 = 1) throws {
    try folder.write(name, noise(width: 6, height: 5, channels: 1, seed: seed).pngData())
  }

  /// A small distribution: two folders of images, a table, official lists.
  private func distribute() throws {
    for (number, name) in [
      "00000001_000", "00000001_001", "00000002_000", "00000003_000", "00000004_000",
    ].enumerated() {
      try image("images_00\(number % 2 + 1)/images/\(name).png", UInt64(number))
    }
    try text(
      "Data_Entry_2017.csv",
      [
        Self.header, "00000001_000.png,Cardiomegaly|Emphysema,0,1,2682,2749",
        "00000001_001.png,No Finding,1,1,2682,2749", "00000002_000.png,Hernia,0,2,2500,2048",
        "00000003_000.png,Infiltration|Mass,0,3,2500,2048", "00000004_000.png,Mass,0,4,2500,2048",
      ])
    try text(
      "train_val_list.txt", ["00000001_000.png", "00000001_001.png", "00000002_000.png"])
    try text("test_list.txt", ["00000004_000.png", "00000003_000.png"])
  }

  private func open(
    _ part: DataPart, _ split: ChestXRay14.Split = .official, classNames: [String]? = nil
  ) throws -> ChestXRay14 {
    try ChestXRay14(path: folder.path, split: split, part: part, classNames: classNames)
  }

  private func message(_ body: () throws -> ChestXRay14) -> String {
    do {
      _ = try body()
      return ""
    } catch { return "\(error)" }
  }

  @Test("the official lists, in their order, with the findings of the table")
  func official() throws {
    try distribute()
    #expect(try ChestXRay14.usualSplit(at: folder.path) == .official)
    let training = try open(.training)
    let test = try open(.test)
    #expect(training.classNames == ChestXRay14.findings && training.classNames.count == 14)
    #expect((0..<3).map(training.target(at:)) == [.labels([1, 10]), .labels([]), .labels([13])])
    #expect((0..<3).map(training.group(at:)) == ["00000001", "00000001", "00000002"])
    #expect(test.name(at: 0).hasSuffix("images_001/images/00000004_000.png"))
    #expect(test.name(at: 1).hasSuffix("images_002/images/00000003_000.png"))
    #expect(test.division == "official split")
    #expect(try test.image(at: 1).width == 6)
  }

  @Test("lists with flags are told from lists of names, though one has the name of the other")
  func arnoweng() throws {
    try distribute()
    let none = [String](repeating: "0", count: 14)
    func line(_ name: String, _ finding: Int?) -> String {
      var flags = none
      if let finding { flags[finding] = "1" }
      return ([name] + flags).joined(separator: " ")
    }
    try text(
      "CheXNet/train_list.txt", [line("00000001_000.png", 0), line("00000001_001.png", nil)])
    try text("CheXNet/val_list.txt", [line("00000003_000.png", 5)], end: "\r\n")
    try text("CheXNet/test_list.txt", [line("00000004_000.png", 13), ""])
    #expect(try open(.training, .arnoweng).target(at: 0) == .labels([0]))
    #expect(try open(.validation, .arnoweng).target(at: 0) == .labels([5]))
    let test = try open(.test, .arnoweng)
    #expect(test.count == 1 && test.target(at: 0) == .labels([13]))
    #expect(test.division == "arnoweng's split")
    #expect(try open(.test).count == 2, "the official list is still found")
    try FileManager.default.removeItem(atPath: folder("train_val_list.txt"))
    #expect(try ChestXRay14.usualSplit(at: folder.path) == .arnoweng)
  }

  @Test("a table with a column for each finding; other columns are passed over")
  func flagColumns() throws {
    try image("small/00000005_000.png")
    try image("small/00000005_001.png")
    let columns = ["image", "patient", "view"] + ChestXRay14.findings.reversed()
    try text(
      "labels.csv",
      [
        columns.joined(separator: ","),
        "00000005_000.png,5,PA,1,0,0,0,0,0,0,0,0,0,0,0,0,0",
        "00000005_001.png,5,AP,0,0,0,0,0,0,0,0,0,0,0,0,0,1",
      ])
    for path in [folder.path, folder("labels.csv")] {
      let data = try ChestXRay14(path: path, split: .seed, part: .training)
      #expect((0..<2).map(data.target(at:)) == [.labels([13]), .labels([0])])
      #expect(data.division == nil)
    }
    let message = message { try open(.test, .seed) }
    #expect(message.contains("no test images of its own") && message.contains("data.testFraction"))
  }

  @Test("a network's own findings, in its order")
  func otherOrder() throws {
    try distribute()
    let data = try open(.training, classNames: ["Hernia", "Cardiomegaly"])
    #expect((0..<3).map(data.target(at:)) == [.labels([1]), .labels([]), .labels([0])])
    let message = message { try open(.training, classNames: ["Hernia", "cat"]) }
    #expect(message.contains("'cat' is not one of the 14 findings"))
  }

  @Test("images that are not there are counted and named, and the result says of how many it is")
  func missing() throws {
    try distribute()
    try FileManager.default.removeItem(atPath: folder("images_001/images/00000004_000.png"))
    let test = try open(.test)
    #expect(test.count == 1 && test.target(at: 0) == .labels([3, 4]))
    #expect(test.division == "official split (1 of its 2 images)")
    let warning = test.warnings.map(\.description).first { $0.contains("not there") }
    #expect(warning?.contains("1 of the 2 images") == true)
    #expect(warning?.contains("00000004_000.png") == true)
    try FileManager.default.removeItem(atPath: folder("images_002"))
    #expect(message { try open(.test) }.contains("none of the 2 images"))
  }

  @Test("unknown findings, contradictions and names without a patient are errors with their line")
  func wrongLabels() throws {
    try distribute()
    for (line, reason) in [
      ("00000009_000.png,Mass|Moss,0,9,1,1", "'Moss' is not one of the 14 findings"),
      ("00000009_000.png,No Finding|Mass,0,9,1,1", "stands beside findings"),
      ("00000009_000.png,,0,9,1,1", "there is no finding"),
      ("photo.png,Mass,0,9,1,1", "number of a patient"),
      ("00000009_000.png", "1 fields instead of at least 2"),
    ] {
      try text("Data_Entry_2017.csv", [Self.header, line])
      let message = message { try open(.training) }
      #expect(message.contains("Data_Entry_2017.csv:2:") && message.contains(reason), "\(line)")
    }
    try text("Data_Entry_2017.csv", [Self.header, "00000001_000.png,Mass,0,1,1,1"])
    #expect(message { try open(.training) }.contains("no line for 2 of the images"))
    try text("Data_Entry_2017.csv", ["something,else"])
    #expect(message { try open(.training) }.contains("no table of labels"))
  }

  @Test("an image named twice is an error, in lists, in tables and on the disk")
  func twice() throws {
    try distribute()
    try text("test_list.txt", ["00000003_000.png", "00000004_000.png", "00000003_000.png"])
    #expect(
      message { try open(.test) }.contains("test_list.txt:3: 00000003_000.png stands in line 1"))
    try text("test_list.txt", ["00000003_000.png"])
    try text(
      "Data_Entry_2017.csv",
      [Self.header, "00000001_000.png,Mass,0,1,1,1", "00000001_000.png,Hernia,0,1,1,1"])
    #expect(message { try open(.test) }.contains("Data_Entry_2017.csv:3: 00000001_000.png stands"))
    try distribute()
    try image("copy/00000001_000.png")
    #expect(message { try open(.test) }.contains("00000001_000.png lies there twice"))
  }

  @Test("lists that share a patient are refused, whichever part is opened")
  func sharedPatient() throws {
    try distribute()
    try text("test_list.txt", ["00000003_000.png", "00000001_001.png"])
    for part in [DataPart.training, .test] {
      let message = message { try open(part) }
      #expect(message.contains("share 1 group") && message.contains("00000001"))
    }
    #expect(try ChestXRay14.usualSplit(at: folder.path) == .seed)
  }

  @Test("lines that are neither names nor flags are errors; so is a folder that is none")
  func wrongLists() throws {
    try distribute()
    try text("test_list.txt", ["00000003_000.png", "00000004_000.png 1"])
    #expect(message { try open(.test) }.contains("test_list.txt:2: one name"))
    try text("train_list.txt", ["00000003_000.png 0 0 2"])
    #expect(
      message { try open(.training, .arnoweng) }.contains("train_list.txt:1: a name and 14 flags"))
    let other = message {
      try ChestXRay14(path: folder("nowhere"), split: .official, part: .test)
    }
    #expect(other.contains("no such folder"))
  }

  @Test("files with colours and transparency among grey ones give batches; a broken one is named")
  func colours() throws {
    try distribute()
    try folder.write("images_002/images/00000003_000.png", Fixture.bytes("alpha.png"))
    let data = try open(.test)
    #expect(try [data.image(at: 0).channels, data.image(at: 1).channels] == [1, 3])
    let loader = try DataLoader(
      data, pipeline: .imageNetEvaluation(size: 8),
      settings: LoaderSettings(batchSize: 2, workers: 1))
    let batch = try #require(try loader.epoch(0).next())
    #expect(batch.targets == [.labels([4]), .labels([3, 4])])
    try folder.write("images_002/images/00000003_000.png", [0x89, 0x50, 0x4e, 0x47, 1, 2, 3])
    #expect {
      try data.image(at: 1)
    } throws: { "\($0)".contains("00000003_000.png") }
  }

  private static let lists = "data/chestxray14-labels.tar.gz"
  private static let patients = "reference/tasks/chestxray14_official_test_patients.txt"

  /// The published lists with flags: train_list.txt, val_list.txt, test_list.txt.
  private func unpackLists() throws {
    let unpacking = Process()
    unpacking.executableURL = URL(filePath: "/usr/bin/env")
    unpacking.arguments = ["tar", "xzf", Shared.path(Self.lists), "-C", folder.path]
    try unpacking.run()
    unpacking.waitUntilExit()
  }

  @Test(
    "the official patients divide the images into 86,524 and 25,596",
    .enabled(if: Shared.has(lists) && Shared.has(patients), "\(Shared.absent)"))
  func officialPatients() throws {
    try unpackLists()
    let patients = Set(
      try String(contentsOfFile: Shared.path(Self.patients), encoding: .utf8)
        .split(whereSeparator: \.isNewline))
    var names: [[String]] = [[], []]
    for list in ["train", "val", "test"] {
      let lines = try String(contentsOfFile: folder("\(list)_list.txt"), encoding: .utf8)
      for line in lines.split(whereSeparator: \.isNewline) {
        let name = line.prefix { $0 != " " }
        names[patients.contains(name.prefix { $0 != "_" }) ? 1 : 0].append(String(name))
      }
    }
    try text(
      "Data_Entry_2017.csv", [Self.header] + names.joined().map { "\($0),No Finding,0,1,9,9" })
    try text("train_val_list.txt", names[0])
    try text("test_list.txt", names[1])
    for (index, part) in [DataPart.training, .test].enumerated() {
      try image(names[index][0])
      let data = try open(part)
      guard case .missing(_, let count, _)? = data.warnings.last else {
        Issue.record("no images are missing")
        return
      }
      #expect(data.count == 1 && count == [86_524, 25_596][index])
    }
  }

  @Test(
    "the lists of 112,120 images are read, and no patient is in two of them",
    .enabled(if: Shared.has(lists), "\(Shared.absent)"))
  func published() throws {
    try unpackLists()
    let lines = try String(contentsOfFile: folder("val_list.txt"), encoding: .utf8)
      .split(separator: "\n")
    let fields = try #require(lines.first { $0.contains(" 1") }).split(separator: " ")
    try image("\(fields[0])")
    let data = try open(.validation, .arnoweng)
    let findings = fields.dropFirst().enumerated().filter { $1 == "1" }.map(\.offset)
    #expect(data.count == 1 && data.target(at: 0) == .labels(Set(findings)))
    guard case .missing(_, let count, let files)? = data.warnings.last else {
      Issue.record("no images are missing")
      return
    }
    #expect(count == lines.count && files.count == lines.count - 1)
  }
}
