// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// What `convert` can write.
enum ConvertFormat: String, CaseIterable, ExpressibleByArgument {
  case safetensors, pytorch, json, yaml, onnx

  static let endings = ".safetensors, .pth, .pt, .json, .yaml, .yml or .onnx"

  /// The format that a file's ending stands for.
  init?(ending path: String) {
    let name = path.lowercased()
    let formats: [(String, ConvertFormat)] = [
      (".safetensors", .safetensors), (".pth", .pytorch), (".pt", .pytorch), (".json", .json),
      (".yaml", .yaml), (".yml", .yaml), (".onnx", .onnx),
    ]
    guard let found = formats.first(where: { name.hasSuffix($0.0) }) else { return nil }
    self = found.1
  }
}
