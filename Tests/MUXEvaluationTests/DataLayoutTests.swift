// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXEvaluation
import Testing

/// What is held out where a folder of data has no images to validate on.
@Suite struct DataLayoutTests {
  /// A folder with one small image at each of the paths, or with empty lists.
  func resolved(
    _ files: [String], source: DataConfiguration.Source = .folder,
    _ change: (inout DataConfiguration) -> Void = { _ in }
  ) throws -> (settings: DataConfiguration, notices: [String]) {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    for file in files {
      let url = folder.appending(path: file)
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("P5 1 1 255\n0".utf8).write(to: url)
    }
    var configuration = DataConfiguration()
    configuration.source = source
    configuration.path = folder.path
    change(&configuration)
    return try configuration.resolved()
  }

  @Test("a fifth of each class is held out where there is nothing to validate on, and that is said")
  func heldOut() throws {
    for files in [
      ["cat/1.pgm", "dog/1.pgm"], ["train/cat/1.pgm", "train/dog/1.pgm"],
      ["train/cat/1.pgm", "train/dog/1.pgm", "test/cat/1.pgm", "test/dog/1.pgm"],
    ] {
      let (settings, notices) = try resolved(files)
      #expect(settings.validationFraction == 0.2, "\(files)")
      #expect(notices.contains { $0.contains("20 % of each class are held out") }, "\(notices)")
    }
    let (settings, notices) = try resolved(["train.csv", "test.csv"], source: .list)
    #expect(settings.validationFraction == 0.2)
    #expect(notices.contains { $0.contains("train.csv and none to validate on") }, "\(notices)")
  }

  @Test("nothing is held out where validation images are there, by any usual name, or were named")
  func thereAlready() throws {
    for name in ["val", "valid", "validation"] {
      let (settings, _) = try resolved(["train/cat/1.pgm", "\(name)/cat/1.pgm"])
      #expect(settings.validationFraction == 0 && settings.validationFolder == name)
    }
    let named = try resolved(["train/cat/1.pgm"]) { $0.validationFolder = "other" }
    #expect(named.settings.validationFraction == 0)
    let asked = try resolved(["train/cat/1.pgm"]) { $0.validationFraction = 0.1 }
    #expect(asked.settings.validationFraction == 0.1 && asked.notices.isEmpty)
  }

  @Test("parts under unusual names are not taken for classes without a word")
  func unusualNames() throws {
    let (settings, notices) = try resolved([
      "Training/cat/1.pgm", "Training/dog/1.pgm", "Testing/cat/1.pgm", "Val_set/dog/1.pgm",
    ])
    #expect(settings.trainingFolder == "")
    #expect(
      notices.contains {
        $0.contains("Testing, Training, Val_set are taken for classes")
          && $0.contains("data.trainingFolder=Training")
          && $0.contains("data.validationFolder=Val_set")
          && $0.contains("data.testFolder=Testing")
      }, "\(notices)")
    for files in [
      // Classes that hold images themselves; no training among the names; a class of several folders.
      ["Train/1.pgm", "Bus/1.pgm"], ["Test/a/1.pgm", "Bus/1.pgm"],
      ["Trains/a/1.pgm", "Bus/b/1.pgm"],
      ["Train station/a/1.pgm", "Bus/1.pgm"],
    ] {
      let (_, notices) = try resolved(files)
      #expect(!notices.contains { $0.contains("are taken for classes") }, "\(files): \(notices)")
    }
  }
}
