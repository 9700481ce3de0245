// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXImages
import MUXTasks
import MUXTestSupport
import MUXVision
import Testing

@Suite("Data sets with boxes: their kinds are told apart, and objects set beside default boxes")
struct BoxReportTests {
  private func write(_ folder: TemporaryFolder, _ name: String, _ text: String) throws {
    try folder.write(name, Array(text.utf8))
  }

  private func image(_ folder: TemporaryFolder, _ name: String) throws {
    try folder.write(name, [])
    try Image(width: 200, height: 100, color: [1, 2, 3]).writePNG(to: folder(name))
  }

  private func open(_ source: DataConfiguration.Source, _ path: String) -> DataConfiguration {
    var data = DataConfiguration()
    data.source = source
    data.path = path
    return data
  }

  @Test("YOLO's YAML names parts and classes, one after the other or numbered")
  func yolo() throws {
    let folder = try TemporaryFolder()
    for part in ["train", "val"] {
      try image(folder, "images/\(part)/a.png")
      try write(folder, "labels/\(part)/a.txt", "1 0.5 0.5 0.5 0.5\n")
    }
    for names in ["names: [cat, dog]", "names:\n  0: cat\n  1: dog"] {
      try write(
        folder, "data.yaml",
        "path: ../elsewhere\ntrain: images/train\nval: images/val\nnc: 2\nroboflow: {a: 1}\n\(names)\n"
      )
      let data = open(.yolo, folder.path)
      let training = try data.open(.training)
      #expect(training.classNames == ["cat", "dog"] && training.count == 1)
      #expect(
        training.target(at: 0)
          == .boxes([LabeledBox(label: 1, left: 50, top: 25, right: 150, bottom: 75)]))
      #expect(try data.open(.validation, classNames: ["dog"]).target(at: 0).classes == [0])
      #expect(throws: (any Error).self) { try data.open(.test) }
      #expect(try DataConfiguration.boxParts(at: folder("data.yaml"))?.count == 2)
    }
    for (names, words) in [
      ("{1: cat}", "not numbered"), ("[cat, ' ']", "the class 1 has no name"),
      ("[cat, dog, cat]", "two classes have one name"),
      ("{0: '', 1: dog}", "the class 0 has no name"), ("[]", "it names no classes"),
    ] {
      try write(folder, "data.yaml", "train: images/train\nnames: \(names)\n")
      #expect {
        try open(.yolo, folder.path).open(.training)
      } throws: { "\($0)".contains(words) }
    }
  }

  @Test("parts of lists, COCO and VOC are found; a folder of classes is none of them")
  func parts() throws {
    let folder = try TemporaryFolder()
    try image(folder, "1.png")
    try write(folder, "train.csv", "image,x0,y0,x1,y1,class\n1.png,10,10,60,60,dog\n")
    try write(folder, "val.csv", "image,x0,y0,x1,y1,class\n1.png,10,10,60,60,cat\n")
    let lists = try #require(try DataConfiguration.boxParts(at: folder.path))
    #expect(lists.count == 2)
    let validation = try lists[1].content.get()
    #expect(validation.classNames == ["dog"] && validation.target(at: 0) == .boxes([]))
    #expect(validation.warnings.contains { "\($0)".contains("not among the others") })
    let other = try TemporaryFolder()
    try image(other, "cat/1.png")
    #expect(try DataConfiguration.boxParts(at: other.path) == nil)
    try write(other, "labels.csv", "path,label\n1.png,cat\n")
    #expect(try DataConfiguration.boxParts(at: other("labels.csv")) == nil)
    let coco = try TemporaryFolder()
    try image(coco, "val2017/1.png")
    try write(
      coco, "annotations/instances_val2017.json",
      #"{"images":[{"id":1,"file_name":"1.png"}],"categories":[{"id":3,"name":"a"}],"annotations":[{"id":1,"image_id":1,"category_id":3,"bbox":[1,2,3,4]}]}"#
    )
    let found = try #require(try DataConfiguration.boxParts(at: coco.path))
    #expect(found.count == 1)
    let data = try found[0].content.get()
    #expect(try data.image(at: 0).width == 200)
    // The numbers of the classes travel with what is trained on them, through parts and caches.
    #expect(data.categoryIDs == [3])
    #expect(try lists[0].content.get().categoryIDs == nil)
    let part = try CachedDataSet(DataSubset(data, indices: [0]))
    #expect(Detection().suited(to: part).categoryIDs == [3])
    var given = Detection()
    given.categoryIDs = [8]
    #expect(given.suited(to: part).categoryIDs == [8])
    #expect(Detection().suited(to: DigitsDataSet()) == Detection())
  }

  @Test("objects that no default box reaches are named with their size")
  func sizes() throws {
    let folder = try TemporaryFolder()
    for name in ["1.png", "2.png"] { try image(folder, name) }
    try write(
      folder, "boxes.csv",
      "image,x0,y0,x1,y1,class\n1.png,20,20,30,30,speck\n1.png,20,10,160,90,whale\n2.png,,,,,\n")
    let data = try BoxDataSet.list(path: folder("boxes.csv"))
    let check = DataCheck(data)
    let report = try #require(BoxReport(data, sizes: check.sizes))
    #expect(report.emptyImages == 1 && report.mostObjects == 2)
    #expect(report.classes.map(\.objects) == [1, 1])
    #expect(abs((report.classes[0].medianWidth ?? 0) - 15) < 1e-9)
    #expect(abs((report.classes[0].medianHeight ?? 0) - 30) < 1e-9)
    #expect(report.classes[0].matched == 0 && report.classes[1].matched == 1)
    #expect(report.warnings.count == 1 && report.warnings[0].hasPrefix("speck: "))
    #expect(report.warnings[0].contains("15×30") && report.warnings[0].contains("has 60"))
    #expect(report.table.rows.count == 2)
    #expect(BoxReport(DigitsDataSet(), sizes: []) == nil)
  }

  @Test("fitted default boxes come with both sides' numbers and as a piece of a recipe")
  func fitted() throws {
    let folder = try TemporaryFolder()
    for name in ["1.png", "2.png"] { try image(folder, name) }
    try write(
      folder, "boxes.csv",
      "image,x0,y0,x1,y1,class\n1.png,20,20,40,30,speck\n1.png,20,10,160,90,whale\n2.png,,,,,\n")
    let data = try #require(try DataConfiguration.boxes(at: folder("boxes.csv"), part: nil))
    #expect(try data.size(at: 0) == ImageSize(height: 100, width: 200))
    let objects = try #require(
      try PreparedObjects(
        data, imageSize: 300, isLetterboxed: false, size: { try data.size(at: $0) }))
    #expect(objects.boxes.map(\.count) == [1, 1] && objects.emptyImages == 1)
    let report = PriorReport(objects, from: .fine300)
    let speck = report.classes[0]
    // 20×10 of 200×100 pixels are 30×30 of 300.
    #expect(abs(report.priors.maps[0].minimum - 30) < 1)
    #expect(try #require(speck.after.meanOverlap) > #require(speck.before.meanOverlap))
    let recipe = report.recipe(model: "ssdlite8_muxnet_m")
    let tree = try ConfigurationTree(yaml: recipe, source: .file("priors.yaml"))
    struct Piece: Decodable {
      struct Model: Decodable {
        var name: String
        var inputSize: Int
      }
      var task: NamedTask
      var model: Model
    }
    let piece = try tree.decode(Piece.self)
    #expect((piece.task.task as? Detection)?.priors == report.priors)
    #expect(piece.model.name == "ssdlite8_muxnet_m" && piece.model.inputSize == 300)
    // With the aspect kept, 20×10 of 200×100 are 30×15.
    let boxed = try #require(
      try PreparedObjects(
        data, imageSize: 300, isLetterboxed: true, size: { try data.size(at: $0) }))
    #expect(abs(boxed.boxes[0][0].width - 0.1) < 1e-9)
    #expect(abs(boxed.boxes[0][0].height - 0.05) < 1e-9)
    #expect(try DataConfiguration.boxes(at: folder("1.png"), part: nil) == nil)
  }
}
