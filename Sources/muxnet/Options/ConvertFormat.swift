// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// What `convert` can write.
enum ConvertFormat: String, CaseIterable, ExpressibleByArgument {
  case safetensors, pytorch, json, yaml, onnx, runtime

  static let endings = ".safetensors, .pth, .pt, .json, .yaml, .yml, .onnx or .muxnet"

  /// The format that a file's ending stands for.
  init?(ending path: String) {
    let name = path.lowercased()
    let formats: [(String, ConvertFormat)] = [
      (".safetensors", .safetensors), (".pth", .pytorch), (".pt", .pytorch), (".json", .json),
      (".yaml", .yaml), (".yml", .yaml), (".onnx", .onnx), (".muxnet", .runtime),
    ]
    guard let found = formats.first(where: { name.hasSuffix($0.0) }) else { return nil }
    self = found.1
  }
}
