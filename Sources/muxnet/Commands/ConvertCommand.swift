// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXInterchange
import MUXNetworks

/// Converts weights and networks between file formats.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert weights or networks between file formats.",
    discussion: """
      The ending of OUTPUT decides: .safetensors, .pth or .pt for weights (INPUT is a weights \
      file), .json, .yaml or .yml for networks (INPUT is a name of the zoo or a network file).

      PyTorch files are read without running any code of theirs. Without --key the state dict is \
      looked for under state_dict_ema, state_dict, model_ema, model and net, then at the top.

      EXAMPLES
        muxnet convert muxnet_m.pth.tar muxnet_m.safetensors
        muxnet convert checkpoint.pth weights.safetensors --key model --type F16
        muxnet convert weights.safetensors weights.pth
        muxnet convert muxnet_s muxnet_s.yaml --blocks
      """)

  @Argument(help: "A weights file; or a network file or name.", completion: .file())
  var input: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(help: "Key of the state dict in a PyTorch checkpoint.")
  var key: String?

  /// The element types that floating-point weights can have.
  enum FloatingType: String, CaseIterable, ExpressibleByArgument {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
  }

  @Option(help: "Element type for floating-point weights.")
  var type: FloatingType?

  @Flag(help: "Write a network as block strings instead of layer by layer.")
  var blocks = false

  @OptionGroup var changes: ModelChangeOptions

  func validate() throws {
    _ = try Target(output)
  }

  func run() throws {
    switch try Target(output) {
    case .network(let isJSON): try writeNetwork(isJSON: isJSON)
    case .weights(let format): try writeWeights(format)
    }
  }

  private enum Target {
    case network(isJSON: Bool)
    case weights(WeightsFile.Format)

    init(_ path: String) throws {
      let name = path.lowercased()
      if name.hasSuffix(".json") {
        self = .network(isJSON: true)
      } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
        self = .network(isJSON: false)
      } else if name.hasSuffix(".safetensors") {
        self = .weights(.safetensors)
      } else if name.hasSuffix(".pth") || name.hasSuffix(".pt") {
        self = .weights(.pyTorch)
      } else {
        throw ValidationError(
          "OUTPUT must end in .safetensors, .pth, .pt, .json, .yaml or .yml, not '\(path)'")
      }
    }
  }

  private func writeNetwork(isJSON: Bool) throws {
    if blocks {
      guard !isJSON else { throw ValidationError("block strings are written as .yaml, not .json") }
      let architecture = try NetworkFile.architecture(input).applying(changes.options)
      try AtomicFile.write(try NetworkFile.yaml(architecture), to: output)
    } else {
      let network = try NetworkFile.resolve(input, options: changes.options)
      let text =
        isJSON
        ? String(decoding: try NetworkFile.json(network), as: UTF8.self)
        : try NetworkFile.yaml(network)
      try AtomicFile.write(text, to: output)
    }
    Console.note("wrote \(output)")
  }

  private func writeWeights(_ format: WeightsFile.Format) throws {
    let file = try WeightsFile.load(input, key: key)
    for name in file.ignored {
      Console.warning("\(input): left out “\(name)”, which is not a tensor")
    }
    var archive = file.archive
    if let elementType = type.flatMap({ ElementType(rawValue: $0.rawValue) }) {
      archive = archive.convertingFloatingPoint(to: elementType)
    }
    switch format {
    case .safetensors: try Safetensors.write(archive, to: output)
    case .pyTorch: try PyTorchFile.write(archive, to: output)
    }
    let place = file.key.map { " (from the key “\($0)”)" } ?? ""
    Console.note("wrote \(output): \(archive.count) tensors\(place)")
  }
}
