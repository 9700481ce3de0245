// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXImages
  import MUXTestSupport
  import MUXVision
  import Testing

  @Suite("Detection, on the command line", .tags(.processes), .endsSometime)
  struct DetectionCommandTests {
    /// Pictures with a bright square each, in PASCAL VOC's form.
    private func writeData(_ folder: TemporaryFolder) throws {
      for index in 0..<12 {
        let (x, y) = (10 + 5 * index, 60 - 4 * index)
        var pixels = [UInt8](repeating: 60, count: 128 * 96 * 3)
        for row in y..<y + 30 {
          for column in x..<x + 30 { pixels[(row * 128 + column) * 3 + index % 2] = 220 }
        }
        try folder.makeFolder("squares/JPEGImages")
        try Image(width: 128, height: 96, channels: 3, pixels: pixels)
          .writePNG(to: folder("squares/JPEGImages/\(index).png"))
        let name = index % 2 == 0 ? "red" : "green"
        try folder.write(
          "squares/Annotations/\(index).xml",
          Array(
            """
            <annotation><size><width>128</width><height>96</height></size><object><name>\(name)</name>\
            <bndbox><xmin>\(x + 1)</xmin><ymin>\(y + 1)</ymin><xmax>\(x + 30)</xmax><ymax>\(y + 30)</ymax>\
            </bndbox></object></annotation>
            """.utf8))
      }
      for (part, images) in [("train", 0..<8), ("val", 8..<12)] {
        try folder.write(
          "squares/ImageSets/Main/\(part).txt", Array(images.map { "\($0)\n" }.joined().utf8))
      }
    }

    @Test("a VOC folder is checked and trained on; weights evaluate, predict in every format, draw")
    func wholeWay() throws {
      let folder = try TemporaryFolder()
      try writeData(folder)
      func run(_ arguments: [String]) throws -> Muxnet.Outcome {
        let outcome = try Muxnet.run(arguments, in: folder.path)
        #expect(outcome.code == 0, "\(arguments): \(outcome.errors)")
        return outcome
      }
      let check = try run(["data", "check", "squares"])
      for part in [
        "8 images, 2 classes", "4 images", "MATCHED", "green", "at most 1 object in one",
      ] {
        #expect(check.output.contains(part), "\(check.output)")
      }
      let preview = try run([
        "data", "preview", "--recipe", "voc_ssdlite", "--data", "squares", "--output", "sheet.png",
        "--images", "4", "--columns", "2", "--side", "96", "--set", "batchSize=4", "--set",
        "model.inputSize=96", "--set", "data.trainingFolder=train", "--set",
        "data.validationFolder=val",
      ])
      #expect(preview.errors.contains("wrote sheet.png: 4 images of 96×96"))
      let sheet = try Image(contentsOfFile: folder("sheet.png"))
      #expect(sheet.width == 2 * 102 + 6 && sheet.height == 2 * 112 + 6)
      let again = try Muxnet.run(
        ["data", "preview", "--recipe", "voc_ssdlite", "--output", "sheet.png"], in: folder.path)
      #expect(again.code == 1 && again.errors.contains("sheet.png exists"), "\(again.errors)")
      let other = try run([
        "data", "check", "squares", "--model", "ssdlite8_muxnet_m", "--input-size", "128",
      ])
      #expect(other.output.contains("default box of ssdlite8_muxnet_m"), "\(other.output)")
      let fitted = try run([
        "data", "priors", "squares", "--part", "train", "--recipe", "bccd_ssdlite", "--output",
        "priors.yaml",
      ])
      for part in ["OVERLAP AFTER", "red", "mean over the classes", "wrote priors.yaml"] {
        #expect(fitted.output.contains(part), "\(fitted.output)")
      }
      let recipe = try run([
        "train", "--recipe", "bccd_ssdlite", "--config", "priors.yaml", "--data", "squares",
        "--dry-run",
      ])
      #expect(recipe.output.contains("ssdlite8_muxnet_m"), "\(recipe.output)")
      let trained = try run([
        "train", "--recipe", "voc_ssdlite", "--data", "squares", "--epochs", "1", "--batch-size",
        "4", "--output", "runs", "--name", "a", "--threads", "1", "--set",
        "model.inputSize=96", "--set", "data.trainingFolder=train", "--set",
        "data.validationFolder=val", "--set", "data.workers=1",
      ])
      #expect(trained.errors.contains("mAP"), "\(trained.errors)")
      let report = try run(["evaluate", "--weights", "runs/a", "--per-class"]).output
      for part in ["mAP ", "11-point mAP ", "COCO AP ", "4 images", "red ", "APsmall"] {
        #expect(report.contains(part), "\(report)")
      }
      let image = "squares/JPEGImages/3.png"
      func predict(_ options: [String]) throws -> String {
        try run(["predict", image, "--weights", "runs/a", "--max", "3"] + options).output
      }
      #expect(try predict(["--score", "1"]).hasPrefix("\(image): nothing found"))
      let text = try predict(["--score", "0", "--draw", "drawn", "--iou", "0.9"])
      #expect(text.contains(" % at (") && text.contains("squares/JPEGImages/3.png: "), "\(text)")
      let drawn = try Image(contentsOfFile: folder("drawn/squares_JPEGImages_3.png.png"))
      let original = try Image(contentsOfFile: folder(image))
      #expect(drawn.size == original.size && drawn.pixels != original.pixels)
      let json = try predict(["--score", "0", "--json"])
      #expect(json.contains(#""boxes""#) && json.contains(#""probability""#))
      #expect(try predict(["--score", "0", "--format", "coco"]).contains(#""category_id""#))
      #expect(
        try predict(["--score", "0", "--format", "yolo"]).split(separator: "\n").count == 3)
      let csv = try predict(["--score", "0", "--format", "csv"])
      #expect(csv.hasPrefix("path,label,index,probability,left,top,right,bottom\n"))
      _ = try run(["convert", "runs/a", "a.muxnet", "--to", "runtime"])
      let packed = try run([
        "predict", image, "--weights", "a.muxnet", "--max", "3", "--score", "0", "--format", "csv",
      ]).output
      // A packed file knows no data: that these are boxes is told by how they lie.
      let evaluation = ["evaluate", "--weights", "a.muxnet", "--data", "squares", "--part"]
      #expect(try run(evaluation + ["validation"]).output.contains("11-point mAP "))
      let absent = try Muxnet.run(evaluation + ["test"], in: folder.path)
      #expect(
        absent.code == 1 && absent.errors.contains("its lists are train, val"), "\(absent.errors)")
      #expect(packed == csv)
    }

    @Test("default boxes are fitted to boxes, of a detector; what is neither is one line")
    func priors() throws {
      let folder = try TemporaryFolder()
      try writeData(folder)
      try folder.makeFolder("empty")
      for (arguments, part) in [
        (["empty"], "no images with boxes"),
        (["squares", "--model", "muxnet_xs"], "one output only"),
        (["squares", "--part", "vall"], "vall"), (["squares", "--recipe", "bcd"], "bccd"),
      ] {
        let outcome = try Muxnet.run(["data", "priors"] + arguments, in: folder.path)
        #expect(outcome.code == 1 && outcome.errorLines.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains(part), "\(outcome.errors)")
      }
      let wrong = try Muxnet.run(
        ["data", "priors", "squares", "--input-size", "0"], in: folder.path)
      #expect(wrong.code == 64)
    }

    @Test("boxes are not asked of classifiers, nor classes of detectors")
    func misfits() throws {
      let folder = try TemporaryFolder()
      try writeData(folder)
      let outcome = try Muxnet.run(
        [
          "train", "--recipe", "voc_ssdlite", "--data", "squares", "--model", "muxnet_xs",
          "--output", "runs",
        ], in: folder.path)
      #expect(outcome.code == 1 && outcome.errors.contains("one output only"), "\(outcome.errors)")
      try folder.write("squares/Annotations/2.xml", Array("<html>".utf8))
      let check = try Muxnet.run(["data", "check", "squares"], in: folder.path)
      #expect(check.code == 1 && check.errors.contains("2.xml"), "\(check.errors)")
    }
  }
#endif
