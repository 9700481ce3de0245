// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("data prepare", .tags(.processes), .endsSometime) struct DataPrepareCommandTests {
  @Test("a folder is prepared once; broken images, and folders that are taken, are told")
  func prepares() throws {
    let folder = try TemporaryFolder()
    for index in 0..<5 {
      try folder.makeFolder("a")
      try Image(width: 40, height: 30, color: [UInt8(index * 20), 3, 3])
        .writePNG(to: folder("a/\(index).png"))
    }
    try folder.write("a/list.csv", Array("path,label\n0.png,x\n".utf8))
    let arguments = ["data", "prepare", "a", "b", "--size", "16", "--workers", "2"]
    let first = try Muxnet.run(arguments, in: folder.path)
    #expect(first.code == 0 && first.output == "b: 5 images scaled, 0 copied, 1 lists, 0 broken\n")
    #expect(try Image(contentsOfFile: folder("b/4.png")).height == 16)
    let again = try Muxnet.json(arguments + ["--json"], in: folder.path)
    #expect(again["before"] as? Int == 5 && again["isComplete"] as? Bool == true)

    try folder.write("a/6.png", [0x89, 0x50, 0x4e, 0x47])
    let broken = try Muxnet.run(arguments, in: folder.path)
    #expect(broken.code == 1 && broken.output.contains("broken: a/6.png: "))
    #expect(broken.errors.contains("1 broken image is left out"), "\(broken.errors)")
    for (more, reason) in [
      (["data", "prepare", "a", "a/c"], "it lies in a itself"),
      (["data", "prepare", "a", "b", "--size", "17"], "with sides of 16"),
      (["data", "prepare", "b", "a"], "has other things in it"),
      (["data", "prepare", "c", "d"], "no such folder"),
    ] {
      let outcome = try Muxnet.run(more, in: folder.path)
      #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains(reason), "\(outcome.errors)")
    }
    #expect(try Muxnet.run(arguments + ["--size", "0"], in: folder.path).code == 64)
    try folder.makeFolder("voc/Annotations")
    let boxes = try Muxnet.run(["data", "prepare", "voc", "e"], in: folder.path)
    #expect(boxes.code == 1 && boxes.errors.contains("boxes in pixels"))
  }
}

#if TORCH
  @Suite("Chest X-rays, on the command line", .tags(.processes), .endsSometime)
  struct DiagnosisCommandTests {
    private let folder: TemporaryFolder

    /// Two small images of each of 16 patients, as the data set is distributed.
    init() throws {
      folder = try TemporaryFolder()
      var table = "Image Index,Finding Labels,Follow-up #\n"
      var lists: [String: [String]] = ["train_val_list": [], "test_list": []]
      for patient in 1...16 {
        for visit in 0..<2 {
          let name = String(format: "%08d_%03d.png", patient, visit)
          try folder.makeFolder("data/images_001/images")
          try Image(
            width: 40, height: 40, channels: 1,
            pixels: [UInt8](repeating: patient % 2 == 0 ? 200 : 60, count: 1600)
          ).writePNG(to: folder("data/images_001/images/\(name)"))
          table += "\(name),\(patient % 2 == 0 ? "Mass|Edema" : "No Finding"),\(visit)\n"
          lists[patient > 10 ? "test_list" : "train_val_list"]?.append(name)
        }
      }
      try folder.write("data/Data_Entry_2017.csv", Array(table.utf8))
      for (name, files) in lists {
        try folder.write("data/\(name).txt", Array(files.joined(separator: "\n").utf8))
      }
    }

    private func run(_ arguments: [String]) throws -> Muxnet.Outcome {
      let outcome = try Muxnet.run(arguments, in: folder.path)
      #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
      return outcome
    }

    @Test("the split is told in training, result and evaluation; intervals are by patient")
    func wholeWay() throws {
      let check = try run(["data", "check", "data"])
      #expect(check.output.contains("data (official split, test): 12 images, 14 classes"))
      let trained = try run([
        "train", "--recipe", "chestxray14_muxnet", "--data", "data", "--model", "muxnet_digits",
        "--input-size", "16", "--epochs", "1", "--batch-size", "4", "--output", "runs", "--name",
        "a", "--threads", "1",
      ])
      #expect(trained.errors.contains("data.split is official"), "\(trained.errors)")
      #expect(trained.errors.contains("official split, divided by group with seed 0"))
      let result = try String(contentsOfFile: folder("runs/a/result.json"), encoding: .utf8)
      #expect(result.contains("official split, divided by group"))
      let arguments = [
        "evaluate", "--weights", "runs/a", "--part", "test", "--augment", "ten-crop",
        "--intervals", "50",
      ]
      let text = try run(arguments + ["--per-class"]).output
      #expect(text.contains("12 images (test, official split)") && text.contains(" to "), "\(text)")
      #expect(text.contains("AUROC FROM"), "\(text)")
      let json = try Muxnet.json(arguments + ["--json"], in: folder.path)
      #expect(json["division"] as? String == "official split")
      let intervals = try #require(json["intervals"] as? [String: Any])
      #expect(intervals["groups"] as? Int == 6 && intervals["draws"] as? Int == 50)
      let classes = try #require(json["classes"] as? [[String: Any]])
      let curves = classes.compactMap { $0["roc"] as? [String: Any] }
      #expect(curves.count == 2, "of the two findings that there are")
    }

    @Test("a row of table 4 is planned, trained in few steps, told with what it is worth, and kept")
    func table() throws {
      let arguments = [
        "reproduce", "table4", "--data", "data", "--only", "muxnet_m", "--folder", "t4",
        "--max-steps", "1", "--set", "model.inputSize=64", "--set", "batchSize=4", "--set",
        "threads=1",
      ]
      let plan = try run(arguments + ["--dry-run"]).output
      #expect(
        plan.contains("muxnet_m  to do  random weights") && plan.contains("1 steps"), "\(plan)")
      #expect(!FileManager.default.fileExists(atPath: folder("t4")))
      let first = try run(arguments)
      #expect(first.output.contains("| MUXNet-m | 2,091,210"), "\(first.output)")
      #expect(first.output.contains("12 test images (official split)"), "\(first.output)")
      #expect(first.output.contains("a check of 1 steps, which says nothing"))
      let second = try run(arguments)
      #expect(second.output == first.output && second.errors.contains("done in"))
      #expect(!second.errors.contains("epoch 1"))
      for (more, reason) in [
        (["--set", "seed=5"], "was started with other settings"),
        (["--only", "resnet50"], "has no row 'resnet50'"),
        (["--weights", "nowhere"], "nowhere does not exist"),
      ] {
        let outcome = try Muxnet.run(arguments + more, in: folder.path)
        #expect(outcome.code == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
      }
      // Without lists patients are divided by seed, and the row is measured on those held out.
      for list in ["train_val_list", "test_list"] {
        try FileManager.default.removeItem(atPath: folder("data/\(list).txt"))
      }
      let divided = try run(arguments + ["--folder", "seed"])
      #expect(
        divided.output.contains("test images (divided by group with seed 0)"), "\(divided.output)")
      let other = try Muxnet.run(["reproduce", "table1", "--data", "data"], in: folder.path)
      #expect(other.code == 1 && other.errors.contains("table2, table4 and figure8"))
      let without = try Muxnet.run(["reproduce", "table4", "--dry-run"], in: folder.path)
      #expect(without.code == 64 && without.errors.contains("only together with --data"))
    }
  }
#endif
