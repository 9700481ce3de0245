// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXTestSupport
import MUXVision
import Testing

@Suite("Images with boxes, however they were written down")
struct BoxDataSetTests {
  private func write(_ folder: TemporaryFolder, _ name: String, _ text: String) throws {
    try folder.write(name, Array(text.utf8))
  }

  private func image(
    _ folder: TemporaryFolder, _ name: String, width: Int = 100, height: Int = 50
  ) throws {
    try folder.write(name, [])
    try Image(width: width, height: height, color: [1, 2, 3]).writePNG(to: folder(name))
  }

  private func boxes(_ data: BoxDataSet, _ index: Int) -> [LabeledBox] {
    if case .boxes(let boxes) = data.target(at: index) { boxes } else { [] }
  }

  private func reason(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch { return "\(error)" }
  }

  // MARK: PASCAL VOC

  private func object(
    _ name: String, _ corners: [String], difficult: String = "<difficult>0</difficult>"
  ) -> String {
    """
    <object><name>\(name)</name>\(difficult)<part><name>head</name><bndbox><xmin>1</xmin>\
    <ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part><bndbox><xmin>\(corners[0])</xmin>\
    <ymin>\(corners[1])</ymin><xmax>\(corners[2])</xmax><ymax>\(corners[3])</ymax></bndbox></object>
    """
  }

  private func voc(
    _ folder: TemporaryFolder, _ id: String, size: (Int, Int) = (100, 50), _ objects: [String]
  ) throws {
    try image(folder, "JPEGImages/\(id).png")
    try write(
      folder, "Annotations/\(id).xml",
      "<?xml version=\"1.0\"?>\n<annotation><filename>other.jpg</filename><size><width>\(size.0)"
        + "</width><height>\(size.1)</height><depth>3</depth></size>\(objects.joined())</annotation>\n"
    )
  }

  @Test("PASCAL VOC: corners from 1, difficult ones, parts, lists with more columns, no objects")
  func vocFolder() throws {
    let folder = try TemporaryFolder()
    try voc(
      folder, "a",
      [
        object("dog", ["1", "1", "100", "50"]),
        object("cat &amp; co", ["2.5", "3", "10", "20"], difficult: "<difficult>1</difficult>"),
        object("dog", ["5", "5", "5", "9"], difficult: ""),
        object("dog", ["95", "5", "120", "9"], difficult: "<difficult/>"),
        object("dog", ["150", "5", "160", "9"]),
      ])
    try voc(folder, "b", size: (0, 0), [])
    try write(folder, "ImageSets/Main/train.txt", "a  1\nb -1 \n\na\n")
    let data = try BoxDataSet.voc(path: folder.path, part: "train")
    #expect(data.classNames == ["cat & co", "dog"] && data.count == 2)
    #expect(
      boxes(data, 0) == [
        LabeledBox(label: 1, left: 0, top: 0, right: 100, bottom: 50),
        LabeledBox(label: 0, left: 1.5, top: 2, right: 10, bottom: 20, isDifficult: true),
        LabeledBox(label: 1, left: 94, top: 4, right: 100, bottom: 9),
      ])
    #expect(boxes(data, 1).isEmpty)
    #expect(try data.image(at: 0).size == ImageSize(height: 50, width: 100))
    #expect(data.problems.mapValues(\.count) == [.withoutArea: 1, .partlyOutside: 1, .outside: 1])
    #expect(data.warnings.count == 3)
    let other = try BoxDataSet.voc(path: folder.path, part: "train", classNames: ["dog"])
    #expect(other.problems[.unknownClass]?.count == 1 && boxes(other, 0).count == 2)
  }

  @Test("several years together, or a part of one of them; twenty classes in their usual order")
  func years() throws {
    let folder = try TemporaryFolder()
    for (year, id) in [("VOC2007", "000001"), ("VOC2012", "2008_000001")] {
      try image(folder, "\(year)/JPEGImages/\(id).jpg")
      try write(
        folder, "\(year)/Annotations/\(id).xml",
        "<annotation>\(object("cat", ["1", "1", "9", "9"]))</annotation>")
      try write(folder, "\(year)/ImageSets/Main/trainval.txt", "\(id)\n")
    }
    try write(folder, "VOC2007/ImageSets/Main/test.txt", "000001\n")
    let both = try BoxDataSet.voc(path: folder.path, part: "trainval")
    #expect(both.count == 2 && both.classNames == BoxDataSet.vocClasses)
    #expect(boxes(both, 0)[0].label == 7)
    #expect(try BoxDataSet.voc(path: folder.path, part: "VOC2012/trainval").count == 1)
    #expect(
      try BoxDataSet.voc(path: folder.path, part: "VOC2012/trainval + VOC2007/test").count == 2)
    #expect(reason { _ = try BoxDataSet.voc(path: folder.path, part: "val") }.contains("val.txt"))
  }

  @Test(
    "XML that is none, or of another image, is one line that names the file",
    arguments: [
      ("dog", "no XML"), ("<annotation>", "never closed"), ("<a></b>", "</b> closes <a>"),
      ("<root/>", "begins with <root>"),
      ("<annotation><object><name>x</name></object></annotation>", "has no bndbox"),
      ("<annotation><object/></annotation>", "has no name"),
      ("<annotation>&nonsense;</annotation>", "no entity"),
      (String(repeating: "<a>", count: 100), "too deep"),
      (
        "<annotation><object><name>x</name><bndbox><xmin>one</xmin></bndbox></object></annotation>",
        "xmin"
      ),
    ])
  func badXML(_ text: String, _ part: String) throws {
    let folder = try TemporaryFolder()
    try image(folder, "JPEGImages/a.jpg")
    try write(folder, "ImageSets/Main/train.txt", "a\n")
    try write(folder, "Annotations/a.xml", text)
    let own = reason { _ = try BoxDataSet.voc(path: folder.path, part: "train") }
    #expect(own.contains(part) && own.contains("a.xml") && !own.contains("\n"), "\(own)")
  }

  @Test("a list that is missing: those that are there are named")
  func missingList() throws {
    let folder = try TemporaryFolder()
    try voc(folder, "a", size: (50, 100), [object("dog", ["1", "1", "9", "9"])])
    for list in ["val", "train", "dog_train"] {
      try write(folder, "ImageSets/Main/\(list).txt", "a\n")
    }
    let own = reason { _ = try BoxDataSet.voc(path: folder.path, part: "trainval") }
    #expect(own.contains("ImageSets/Main/trainval.txt; its lists are train, val;"), "\(own)")
  }

  @Test("an image of another size than its annotation says is not taken for the annotated one")
  func otherImage() throws {
    let folder = try TemporaryFolder()
    try voc(folder, "a", size: (50, 100), [object("dog", ["1", "1", "9", "9"])])
    try write(folder, "ImageSets/Main/train.txt", "a\n")
    let data = try BoxDataSet.voc(path: folder.path, part: "train")
    #expect(reason { _ = try data.image(at: 0) }.contains("it is rotated"))
    try FileManager.default.removeItem(atPath: folder("Annotations/a.xml"))
    #expect(reason { _ = try BoxDataSet.voc(path: folder.path, part: "train") }.contains("a.xml"))
  }

  @Test("XML as annotations use it: comments, CDATA, attributes, numbered characters")
  func xml() throws {
    let text = """
      \u{feff}<?xml version="1.0"?><!DOCTYPE a><!-- <b> --><a x="1 > 0" y='"'>
      <b>one</b><c/><b>&#65;&#x42;&lt;<![CDATA[<d>&]]></b> two</a>
      """
    let root = try XMLElement(Array(text.utf8))
    #expect(root.children.map(\.name) == ["b", "c", "b"])
    #expect(root["b"]?.text == "one" && root.children[2].text == "AB<<d>&" && root.trimmed == "two")
    let error = #expect(throws: XMLElement.Failure.self) {
      try XMLElement(Array("<a>\n<b>\n</a>".utf8))
    }
    #expect(error?.line == 3)
  }

  // MARK: COCO

  @Test("COCO: gaps in the numbers of categories, crowds, areas, images without annotations")
  func coco() throws {
    let folder = try TemporaryFolder()
    try image(folder, "val/1.png")
    try write(
      folder, "annotations/instances_val.json",
      """
      {"images": [{"id": 5, "file_name": "1.png", "width": 100, "height": 50}, {"id": 9, "file_name": "2.png"}],
       "categories": [{"id": 90, "name": "toothbrush"}, {"id": 1, "name": "person"}],
       "annotations": [
        {"id": 1, "image_id": 5, "category_id": 90, "bbox": [10, 20, 30.5, 10], "area": 120.5, "iscrowd": 0, "segmentation": [[1, 2]]},
        {"id": 2, "image_id": 5, "category_id": 1, "bbox": [0, 0, 100, 50], "area": 9, "iscrowd": 1},
        {"id": 3, "image_id": 5, "category_id": 1, "bbox": [0, 0, 0, 50]},
        {"id": 4, "image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 5]},
        {"id": 5, "image_id": 5, "category_id": 3, "bbox": [0, 0, 1, 5]}]}
      """)
    let files = try #require(BoxDataSet.cocoFiles(path: folder.path, part: "val"))
    let data = try BoxDataSet.coco(path: files.annotations, images: files.images)
    #expect(data.classNames == ["person", "toothbrush"] && data.categoryIDs == [1, 90])
    #expect(
      boxes(data, 0) == [
        LabeledBox(label: 1, left: 10, top: 20, right: 40.5, bottom: 30, area: 120.5),
        LabeledBox(
          label: 0, left: 0, top: 0, right: 100, bottom: 50, isCrowd: true, area: 9),
      ])
    #expect(boxes(data, 1).isEmpty && data.count == 2)
    #expect(
      data.problems.mapValues(\.count) == [.withoutArea: 1, .unknownImage: 1, .unknownClass: 1])
    #expect(try data.image(at: 0).width == 100)
    #expect(throws: (any Error).self) { try data.image(at: 1) }
    #expect(BoxDataSet.cocoFiles(path: folder.path, part: "train") == nil)
    for (text, part) in [
      ("[]", "annotations"), ("{", "no JSON"),
      (#"{"images":[],"categories":[],"annotations":[]}"#, "no image"),
    ] {
      try write(folder, "bad.json", text)
      let own = reason { _ = try BoxDataSet.coco(path: folder("bad.json"), images: folder.path) }
      #expect(own.contains("bad.json") && !own.contains("\n"), "\(part): \(own)")
    }
    // Which class a number means has to be known.
    for (text, words) in [
      (
        #"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[],"#
          + #""categories":[{"id":1,"name":"cat"},{"id":2,"name":"b"},{"id":1,"name":"dog"}]}"#,
        "two categories have the id 1"
      ),
      (
        #"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[],"#
          + #""categories":[{"id":7,"name":" "}]}"#, "the category 7 has no name"
      ),
    ] {
      try write(folder, "bad.json", text)
      let own = reason { _ = try BoxDataSet.coco(path: folder("bad.json"), images: folder.path) }
      #expect(own.contains(words), "\(own)")
    }
  }

  @Test(
    "the size of an image is that of its annotation, or of its header; damaged pixels do not matter"
  )
  func sizes() throws {
    let folder = try TemporaryFolder()
    try image(folder, "whole.png", width: 30, height: 20)
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: folder("whole.png"))))
    // The header stays; the end of the pixels is cut off.
    bytes.removeLast(20)
    try folder.write("cut.png", bytes)
    try write(
      folder, "boxes.csv", "image,x0,y0,x1,y1,class\nwhole.png,1,2,3,4,a\ncut.png,1,2,3,4,a\n")
    let data = try BoxDataSet.list(path: folder("boxes.csv"))
    for index in 0..<2 { #expect(try data.size(at: index) == ImageSize(height: 20, width: 30)) }
    #expect(throws: (any Error).self) { try data.image(at: 1) }
    try write(folder, "labels/cut.txt", "0 0.5 0.5 0.5 0.5\n")
    try folder.write("images/cut.png", bytes)
    let yolo = try BoxDataSet.yolo(images: folder("images"), names: ["a"])
    #expect(boxes(yolo, 0) == [LabeledBox(label: 0, left: 7.5, top: 5, right: 22.5, bottom: 15)])
    try write(folder, "images/none.png", "no image")
    #expect(throws: (any Error).self) { try Image.size(ofFile: folder("images/none.png")) }
    #expect(throws: (any Error).self) { try Image.size(ofFile: folder("absent.png")) }
    try write(folder, "map.ppm", "P6 3 2 255\n")
    #expect(throws: (any Error).self) { try Image.size(ofFile: folder("map.ppm")) }
  }

  // MARK: YOLO

  @Test("YOLO: shares become pixels, outlines become boxes, images without a file have no objects")
  func yolo() throws {
    let folder = try TemporaryFolder()
    for name in ["a", "b", "c"] { try image(folder, "images/train/\(name).png") }
    try write(folder, "labels/train/a.txt", "1 0.5 0.5 0.2 0.4\n\n0 0.1 0.2 0.3 0.2 0.3 0.6\n")
    try write(folder, "labels/train/b.txt", "0 0.95 0.5 0.2 0.4\n0 0.5 0.5 0 0.1\n")
    let data = try BoxDataSet.yolo(images: folder("images/train"), names: ["cat", "dog"])
    func isSame(_ box: LabeledBox, _ other: LabeledBox) -> Bool {
      box.label == other.label && abs(box.left - other.left) < 1e-9
        && abs(box.top - other.top) < 1e-9 && abs(box.right - other.right) < 1e-9
        && abs(box.bottom - other.bottom) < 1e-9
    }
    let own = boxes(data, 0)
    #expect(own.count == 2)
    #expect(isSame(own[0], LabeledBox(label: 1, left: 40, top: 15, right: 60, bottom: 35)))
    #expect(isSame(own[1], LabeledBox(label: 0, left: 10, top: 10, right: 30, bottom: 30)))
    #expect(
      isSame(boxes(data, 1)[0], LabeledBox(label: 0, left: 85, top: 15, right: 100, bottom: 35)))
    #expect(boxes(data, 2).isEmpty)
    #expect(data.problems.mapValues(\.count) == [.partlyOutside: 1, .withoutArea: 1])
    try write(folder, "some.txt", "./images/train/c.png\nimages/train/a.png\n")
    #expect(try BoxDataSet.yolo(images: folder("some.txt"), names: ["cat", "dog"]).count == 2)
    for (text, part) in [
      ("2 0.5 0.5 0.1 0.1", "class 2"), ("0 0.5 0.5 0.1", "five numbers"), ("a b", "five"),
    ] {
      try write(folder, "labels/train/c.txt", text)
      let error = reason {
        _ = try BoxDataSet.yolo(images: folder("images/train"), names: ["cat", "dog"])
      }
      #expect(
        error.contains(part) && error.contains("c.txt") && error.contains("line 1"), "\(error)")
    }
  }

  // MARK: Lists

  @Test("a list: a box a line, images without objects, columns of other names and orders")
  func list() throws {
    let folder = try TemporaryFolder()
    try write(
      folder, "boxes.csv",
      "image,x0,y0,x1,y1,class\n1.png,1,2,30.5,40,dog\n2.png,,,,,\n1.png,5,5,6,6,cat\n")
    let data = try BoxDataSet.list(path: folder("boxes.csv"))
    #expect(data.count == 2 && data.classNames == ["cat", "dog"])
    #expect(boxes(data, 0).map(\.label) == [1, 0] && boxes(data, 1).isEmpty)
    #expect(data.name(at: 0) == folder("1.png"))
    try write(
      folder, "other.csv",
      "label,filename,xmin,ymin,xmax,ymax,difficult\ndog,/a.png,1,2,3,4,1\n")
    let other = try BoxDataSet.list(path: folder("other.csv"), classNames: ["bird", "dog"])
    #expect(boxes(other, 0)[0].isDifficult && boxes(other, 0)[0].label == 1)
    for (text, part) in [
      ("1.png,1,2,3,4,dog\n", "no column 'image'"),
      ("image,x0,y0,x1,y1,class\n1.png,1,2,3,dog\n", ":2: 5 fields instead of 6"),
      ("image,x0,y0,x1,y1,class\n1.png,1,2,3,four,dog\n", "'four' is no number"),
      ("image,x0,y0,x1,y1,class\n1.png,1,2,3,4,\n", "no class"),
      ("image,x0,y0,x1,y1,class\n", "no image"),
    ] {
      try write(folder, "bad.csv", text)
      let error = reason { _ = try BoxDataSet.list(path: folder("bad.csv")) }
      #expect(error.contains(part) && error.contains("bad.csv"), "\(error)")
    }
  }

  @Test("boxes outside the picture are found also where only the file says how large it is")
  func outside() throws {
    let folder = try TemporaryFolder()
    let found: [BoxProblem: Int] = [.partlyOutside: 1, .outside: 1]
    let cut = LabeledBox(label: 0, left: 90, top: 0, right: 100, bottom: 50)
    try image(folder, "1.png")
    try write(
      folder, "boxes.csv",
      "image,x0,y0,x1,y1,class\n1.png,90,-5,3000,400,dog\n1.png,200,1,220,9,dog\n")
    let list = try BoxDataSet.list(path: folder("boxes.csv"))
    #expect(list.problems.mapValues(\.count) == found && boxes(list, 0) == [cut])
    #expect(list.warnings.count == 2)
    try write(
      folder, "boxes.json",
      """
      {"images": [{"id": 1, "file_name": "1.png"}], "categories": [{"id": 1, "name": "dog"}],
       "annotations": [{"image_id": 1, "category_id": 1, "bbox": [90, -5, 2910, 405]},
        {"image_id": 1, "category_id": 1, "bbox": [200, 1, 20, 8]}]}
      """)
    let coco = try BoxDataSet.coco(path: folder("boxes.json"), images: folder.path)
    #expect(coco.problems.mapValues(\.count) == found && boxes(coco, 0) == [cut])
    try voc(
      folder, "a", size: (0, 0),
      [object("dog", ["91", "-4", "3000", "400"]), object("dog", ["201", "2", "220", "9"])])
    try write(folder, "ImageSets/Main/train.txt", "a\n")
    let annotated = try BoxDataSet.voc(path: folder.path, part: "train")
    #expect(annotated.problems.mapValues(\.count) == found && boxes(annotated, 0) == [cut])
  }

  @Test("what is known of the data changes its hash")
  func hash() throws {
    let folder = try TemporaryFolder()
    func hash(_ line: String) throws -> UInt64 {
      try write(folder, "b.csv", "image,x0,y0,x1,y1,class\n\(line)\n")
      return try BoxDataSet.list(path: folder("b.csv")).contentHash
    }
    #expect(try hash("1.png,1,2,3,4,a") != hash("1.png,1,2,3,5,a"))
    #expect(try hash("1.png,1,2,3,4,a") == hash("1.png,1,2,3,4,a"))
  }
}
