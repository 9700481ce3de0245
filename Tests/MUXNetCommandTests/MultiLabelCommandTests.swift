// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXImages
  import MUXTestSupport
  import MUXVision
  import Testing

  @Suite("Several labels per image, on the command line", .tags(.processes), .endsSometime)
  struct MultiLabelCommandTests {
    @Test("a list of labels trains, evaluates by class, and predicts as text, JSON and CSV")
    func wholeWay() throws {
      let folder = try TemporaryFolder()
      var table = "image,red,green\n"
      for index in 0..<48 {
        let (red, green) = (index % 2, index / 2 % 2)
        let color = [UInt8(40 + 150 * red + index % 7), UInt8(50 + 140 * green - index % 5), 90]
        try folder.makeFolder("images")
        try Image(width: 8, height: 8, color: color).writePNG(to: folder("images/\(index).png"))
        table += "\(index).png,\(red),\(green)\n"
      }
      try folder.write("images/labels.csv", Array(table.utf8))
      func run(_ arguments: [String]) throws -> Muxnet.Outcome {
        let outcome = try Muxnet.run(arguments, in: folder.path)
        #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
        return outcome
      }
      let settings = [
        "task=multiLabel", "data.validationFraction=0.25",
        "schedule.warmUp.epochs=0", "augmentation.crop=none", "augmentation.evaluationCrop=1",
        "data.testFraction=0",
      ]
      let trained = try run(
        [
          "train", "--recipe", "digits", "--source", "list", "--data", "images/labels.csv",
          "--epochs", "2",
          "--batch-size", "8", "--output", "runs", "--name", "a", "--threads", "1",
        ] + settings.flatMap { ["--set", $0] })
      #expect(trained.errors.contains("AUROC"), "\(trained.errors)")
      let summary = try String(contentsOfFile: folder("runs/a/summary.csv"), encoding: .utf8)
      #expect(
        summary.contains(",val_loss,val_auroc,val_averagePrecision,val_f1,raw_val_auroc,"))

      let report = try run(["evaluate", "--weights", "runs/a", "--per-class"]).output
      for part in ["AUROC ", "average precision ", "12 images", "red ", "BEST THRESHOLD"] {
        #expect(report.contains(part), "\(report)")
      }
      let image = "images/3.png"
      let text = try run(["predict", image, "--weights", "runs/a", "--threshold", "0"]).output
      #expect(text.contains("images/3.png: ") && text.contains("red ") && text.contains("green "))
      let csv = try run(["predict", image, "--weights", "runs/a", "--format", "csv"]).output
      #expect(csv.hasPrefix("path,red,green\nimages/3.png,0."), "\(csv)")
      let json = try run(["predict", image, "--weights", "runs/a", "--json"]).output
      #expect(json.contains(#""classes""#) && json.contains(#""labels""#))
      _ = try run(["convert", "runs/a", "a.muxnet", "--to", "runtime"])
      let packed = try run(["predict", image, "--weights", "a.muxnet", "--format", "csv"]).output
      #expect(packed == csv)

      let other = try Muxnet.run(
        ["predict", image, "--weights", "runs/a", "--format", "xml"], in: folder.path)
      #expect(other.code == 1 && other.errors.contains("text, json, csv"), "\(other.errors)")
      let task = try Muxnet.run(
        ["evaluate", "--weights", "runs/a", "--task", "multilabels"], in: folder.path)
      #expect(task.code == 1 && task.errors.contains("did you mean multiLabel?"))
      let misfit = try Muxnet.run(
        ["evaluate", "--weights", "runs/a", "--task", "classification"], in: folder.path)
      #expect(misfit.code == 1 && misfit.errors.contains("has a set of classes"))
    }
  }
#endif
