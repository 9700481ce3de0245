// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

extension DetectionHead {
  /// Comma-separated values, COCO's results, and YOLO's text.
  public var formats: [PredictionFormat<Detections>] {
    let ids = task.categoryIDs ?? classNames.indices.map { $0 + 1 }
    return [
      PredictionFormat(name: "csv") { images in
        CSVRow.text(
          [["path", "label", "index", "probability", "left", "top", "right", "bottom"]]
            + images.flatMap { path, detections in
              detections.boxes.map { box in
                [path, box.label, "\(box.index)", "\(box.probability)"]
                  + [box.left, box.top, box.right, box.bottom].map { "\($0)" }
              }
            })
      },
      PredictionFormat(name: "coco") { images in
        let numbers = images.enumerated().map { COCOResult.number(of: $1.path) ?? $0 + 1 }
        // A number that two images share (a/1.jpg, b/1.jpg) would make one of both.
        let areApart = Set(numbers).count == numbers.count
        return try COCOResult.text(
          images.enumerated().flatMap { place, image in
            image.output.boxes.map { box in
              COCOResult(
                imageID: areApart ? numbers[place] : place + 1,
                categoryID: ids[box.index],
                bbox: [box.left, box.top, box.right - box.left, box.bottom - box.top],
                score: box.probability)
            }
          })
      },
      PredictionFormat(name: "yolo") { images in
        images.map { path, detections in
          let (width, height) = (Double(detections.width), Double(detections.height))
          let lines = detections.boxes.map { box in
            let numbers = [
              (box.left + box.right) / 2 / width, (box.top + box.bottom) / 2 / height,
              (box.right - box.left) / width, (box.bottom - box.top) / height, box.probability,
            ]
            return "\(box.index) "
              + numbers.map { NumberText.fixed($0, decimals: 6) }.joined(separator: " ") + "\n"
          }
          // One file for each image is usual; where there are several images, a line tells whose.
          return (images.count > 1 ? "# \(path)\n" : "") + lines.joined()
        }.joined()
      },
    ]
  }
}

/// An entry of COCO's list of results.
private struct COCOResult: Encodable {
  var imageID: Int
  var categoryID: Int
  /// Left, top, width, height.
  var bbox: [Double]
  var score: Double

  enum CodingKeys: String, CodingKey {
    case imageID = "image_id"
    case categoryID = "category_id"
    case bbox, score
  }

  /// COCO's files are named by the numbers of their images: `000000000139.jpg` is 139.
  static func number(of path: String) -> Int? {
    let name = path.split(separator: "/").last ?? ""
    return Int(name.split(separator: ".").first ?? "")
  }

  static func text(_ results: [COCOResult]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(results), as: UTF8.self) + "\n"
  }
}
