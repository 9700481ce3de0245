// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXTasks
import MUXTestSupport
import MUXVision
import Testing

@Suite("Data whose images belong to patients") struct DivisionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func image(_ path: String) throws {
    try folder.makeFolder("images")
    try Image(width: 4, height: 4, color: [90, 90, 90]).writePNG(to: folder(path))
  }

  /// Three images of each of 40 patients, with a table of their findings.
  private func distribute(lists: Bool) throws {
    var table = "Image Index,Finding Labels\n"
    var (training, test): ([String], [String]) = ([], [])
    for patient in 1...40 {
      for visit in 0..<3 {
        let name = String(format: "%08d_%03d.png", patient, visit)
        try image("images/\(name)")
        table +=
          "\(name),\(patient % 4 == 0 ? "Mass|Edema" : patient % 2 == 0 ? "Mass" : "No Finding")\n"
        if patient > 30 { test.append(name) } else { training.append(name) }
      }
    }
    try folder.write("Data_Entry_2017.csv", Array(table.utf8))
    guard lists else { return }
    try folder.write("train_val_list.txt", Array(training.joined(separator: "\n").utf8))
    try folder.write("test_list.txt", Array(test.joined(separator: "\n").utf8))
  }

  private func chest(_ change: (inout DataConfiguration) -> Void = { _ in }) -> DataConfiguration {
    var data = DataConfiguration()
    data.source = .chestxray14
    data.path = folder.path
    change(&data)
    return data
  }

  private func patients(_ data: any ImageDataSet) -> Set<String> {
    Set((0..<data.count).compactMap(data.group(at:)))
  }

  @Test(
    "official lists: validation patients are held out of the training's, and every part says so")
  func official() throws {
    try distribute(lists: true)
    let (settings, notices) = try chest().resolved()
    #expect(settings.split == .official && settings.validationFraction == 0.1)
    #expect(notices.count == 2 && notices[0].contains("data.split is official"))
    let parts = try DataPart.allCases.map { try chest().open($0) }
    #expect(parts.map(\.count).reduce(0, +) == 120 && parts[2].count == 30)
    for (index, part) in parts.enumerated() {
      for other in parts[(index + 1)...] {
        #expect(patients(part).isDisjoint(with: patients(other)))
      }
    }
    #expect(parts[2].division == "official split")
    #expect(parts[0].division == "official split, divided by group with seed 0")
    #expect(parts[1].division == parts[0].division && parts[1].count >= 6)
    let other = try chest { $0.splitSeed = 1 }.open(.validation)
    #expect(patients(other) != patients(parts[1]))
  }

  @Test("without lists the patients are divided by seed into 70, 10 and 20 %")
  func seed() throws {
    try distribute(lists: false)
    let settings = try chest().resolved().settings
    #expect(settings.split == .seed)
    #expect(settings.validationFraction == 0.1 && settings.testFraction == 0.2)
    let parts = try DataPart.allCases.map { try chest().open($0) }
    #expect(parts.map(\.count).reduce(0, +) == 120)
    #expect(abs(parts[0].count - 84) <= 6 && abs(parts[2].count - 24) <= 6)
    #expect(parts.allSatisfy { $0.division == "divided by group with seed 0" })
    let folds = try (1...4).map { fold in
      try chest {
        $0.folds = 4
        $0.fold = fold
      }.open(.validation)
    }
    #expect(folds.map(\.count).reduce(0, +) == 120)
    #expect(try chest { $0.split = .official }.resolved().settings.split == .official)
    #expect(throws: DataSetError.self) { try chest { $0.split = .official }.open(.test) }
  }

  @Test("a pattern finds the groups of any list in the names of its files")
  func pattern() throws {
    var table = "path,label\n"
    for index in 0..<60 {
      try image("images/\(index / 5)-\(index).png")
      table += "images/\(index / 5)-\(index).png,\(index % 2 == 0 ? "a" : "b")\n"
    }
    try folder.write("list.csv", Array(table.utf8))
    func data(_ pattern: String?) -> DataConfiguration {
      var data = DataConfiguration()
      data.source = .list
      data.path = folder("list.csv")
      data.validationFraction = 0.25
      data.groupPattern = pattern
      return data
    }
    let parts = try [DataPart.training, .validation].map { try data("^([0-9]+)-").open($0) }
    #expect(patients(parts[0]).isDisjoint(with: patients(parts[1])))
    #expect(patients(parts[0]).union(patients(parts[1])) == Set((0..<12).map { "\($0)" }))
    #expect(try data(nil).open(.training).group(at: 0) == nil)
    for (pattern, reason) in [
      ("^x", "finds nothing in"), ("([0-9", "is no regular expression"),
    ] {
      #expect {
        _ = try data(pattern).open(.training)
      } throws: { "\($0)".contains(reason) && "\($0)".contains("data.groupPattern") }
    }
    #expect(throws: ConfigurationError.self) { try data("([0-9").validate() }
    var digits = DataConfiguration()
    digits.source = .digits
    digits.validationFraction = 0.1
    digits.groupPattern = "a"
    #expect(throws: ConfigurationError.self) { try digits.validate() }
  }

  @Test("own parts that share a group are refused where groups are known")
  func sharedGroups() throws {
    for (list, files) in [("train", ["1-a", "2-a", "3-a"]), ("val", ["4-a", "2-b"])] {
      var table = "path,label\n"
      for file in files {
        try image("images/\(file).png")
        table += "images/\(file).png,\(file.hasSuffix("a") ? "a" : "b")\n"
      }
      try folder.write("\(list).csv", Array((table + "\n").utf8))
    }
    var data = DataConfiguration()
    data.source = .list
    data.path = folder.path
    #expect(try data.open(.validation, classNames: ["a", "b"]).count == 2)
    data.groupPattern = "^([0-9]+)-"
    #expect {
      _ = try data.open(.validation, classNames: ["a", "b"])
    } throws: { "\($0)".contains("share 1 group") && "\($0)".contains("such as 2") }
  }

  @Test("a limit spreads the images evenly, and is named where results are")
  func limit() throws {
    try distribute(lists: true)
    let part = try chest { $0.limit = 10 }.open(.test)
    #expect(part.count == 10)
    #expect(part.division == "official split, 10 of 30 images")
    #expect(part.name(at: 9).hasSuffix("00000040_000.png"))
    #expect(try chest { $0.limit = 1000 }.open(.test).count == 30)
  }

  @Test("an evaluation draws patients, and says of which division it is")
  func intervals() throws {
    try distribute(lists: true)
    let data = try chest().open(.test)
    let classifier = try BrightnessModel(classes: 14) { level in
      (0..<14).map { Float($0) + level }
    }
    var evaluator = Evaluator()
    func evaluate() throws -> EvaluationResult {
      try evaluator.evaluate(
        classifier, task: MultiLabel(), pipeline: Pixels.pipeline, on: data, batchSize: 7)
    }
    #expect(try evaluate().intervals == nil)
    evaluator.resampling = Resampling(draws: 20)
    let result = try evaluate()
    let intervals = try #require(result.intervals)
    #expect(intervals.groups == 10 && intervals.draws == 20 && intervals.classes.count == 14)
    #expect(result.division == "official split")
    // All outputs of a class are equal.
    #expect(intervals.all?.lower == 0.5 && intervals.all?.upper == 0.5)
    let json = String(decoding: try JSONEncoder().encode(result), as: UTF8.self)
    #expect(json.contains(#""division":"official split""#) && json.contains(#""groups":10"#))
    #expect(json.contains("falsePositiveRates"))
  }
}
