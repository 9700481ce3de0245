// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages

/// How images are prepared for a model, as entries of an ONNX file's metadata. The names and values are
/// those that timm's configurations have, so that programs which know these find what they look for.
///
/// | key | what |
/// | --- | --- |
/// | `mean`, `std` | a number for each channel, `[0.485,0.456,0.406]`: (value − mean) / std |
/// | `input_range` | `[0,1]`: bytes are divided by 255 first |
/// | `channel_order` | `RGB`, `BGR`, or `L` for grey (ITU-R 601 luma) |
/// | `interpolation` | the filter of scaling, antialiased: `bicubic`, `bilinear` or `nearest` |
/// | `crop_pct`, `crop_mode` | `0.875`, `center`: the shorter side is scaled to the input's side / crop_pct, then the middle cut out; `1.0`, `squash`: scaled to the input's size, whatever the aspect |
/// | `resize` | what is scaled to: the shorter side, or height x width of a squash |
/// | `preparation` | all steps, as JSON: what weights and packed files have |
///
/// Keys whose content a preparation does not have (no scaling, no cut) are left out.
struct PreparationMetadata {
  let pipeline: ImagePipeline

  /// The entries, in a fixed order.
  var entries: [(String, String)] {
    var entries = [
      ("mean", list(pipeline.mean)), ("std", list(pipeline.standardDeviation)),
      ("input_range", "[0,1]"),
      (
        "channel_order",
        pipeline.channels == 1 ? "L" : pipeline.channelOrder.rawValue.uppercased()
      ),
    ]
    var shorterSide: Int?
    for step in pipeline.transforms {
      switch step {
      case .resize(let resize):
        entries.append(("interpolation", resize.interpolation.rawValue))
        shorterSide = resize.shorterSide
        if let size = resize.size {
          entries.append(("resize", "\(size.height)x\(size.width)"))
          entries.append(("crop_pct", "1.0"))
          entries.append(("crop_mode", "squash"))
        } else if let shorterSide {
          entries.append(("resize", "\(shorterSide)"))
        }
      case .centerCrop(let size):
        guard let shorterSide else { continue }
        let share = Double(min(size.width, size.height)) / Double(shorterSide)
        entries.append(("crop_pct", "\((share * 1e6).rounded() / 1e6)"))
        entries.append(("crop_mode", "center"))
      case .letterbox(let letterbox):
        entries.append(("interpolation", letterbox.interpolation.rawValue))
        entries.append(("resize", "\(letterbox.size.height)x\(letterbox.size.width)"))
        entries.append(("crop_pct", "1.0"))
        entries.append(("crop_mode", "border"))
      case .randomCrop, .randomResizedCrop, .horizontalFlip, .colorJitter, .randAugment,
        .photometricDistortion, .randomExpansion, .overlapCrop:
        continue
      }
    }
    if let json { entries.append(("preparation", json)) }
    // Of two steps of a kind the last one counts; `preparation` has both.
    return entries.indices.filter { index in
      !entries[(index + 1)...].contains { $0.0 == entries[index].0 }
    }.map { entries[$0] }
  }

  private var json: String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return (try? encoder.encode(pipeline)).map { String(decoding: $0, as: UTF8.self) }
  }

  private func list(_ values: [Float]) -> String {
    "[" + values.map { "\($0)" }.joined(separator: ",") + "]"
  }
}
