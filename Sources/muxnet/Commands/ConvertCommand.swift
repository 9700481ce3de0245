// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXCore
import MUXEvaluation
import MUXNetworkFiles
import MUXNetworks
import MUXPyTorch
import MUXReport
import MUXRuntime
import MUXWeights

/// Converts weights and networks between file formats.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert weights or networks between file formats; export ONNX.",
    discussion: """
      The format is given by --to, or else by the extension of OUTPUT: .safetensors, .pth or .pt for \
      weights (INPUT is a weights file, or the folder of a run, which stands for its best weights); \
      .json, .yaml or .yml for networks (INPUT is a name of the zoo, a network file, or a file that \
      holds its network: a run, weights, a packed file); .onnx for a network with its weights (INPUT \
      is the network and --weights its weights, or INPUT alone if the weights file or the run holds \
      the network). With --post-processing the outputs of a detector are boxes: boxes [K, 4] (left, \
      top, right, bottom as fractions of the input image), scores [K], labels [K], best first.

      PyTorch files are read without running their code. Without --key the state dict is looked up \
      under \(PyTorchFile.averagedKeys.joined(separator: ", ")) (averaged weights), then \
      \(PyTorchFile.stateDictionaryKeys.joined(separator: ", ")), then at the top level; a key may \
      lead into nested dictionaries (model.state_dict). Tensors that are left out are reported. \
      Prefixes added by wrappers (module., _orig_mod., _fsdp_wrapped_module. and the like) are \
      removed; prefixes such as Lightning's model. stay, and are understood wherever the weights are \
      used with a network.

      Infinite values, NaN, and values that --type cannot represent are an error that names the \
      tensor.

      --to runtime (or an OUTPUT that ends in .muxnet) writes one file with the network, its classes \
      and its weights packed for the inference runtime, which maps it into memory and starts within \
      milliseconds. INPUT is as for ONNX. The file holds weights for vectors of 8 and of 16 lanes \
      (AVX-512); --lanes keeps one of them. For reduced precision see muxnet quantize.

      With --random-weights INPUT is a network, and OUTPUT (.safetensors) gets it with random \
      weights, to time it or try a tool before there are trained ones.

      EXAMPLES
        muxnet convert muxnet_m.pth.tar muxnet_m.safetensors
        muxnet convert checkpoint.pth weights.safetensors --key model --type F16
        muxnet convert weights.safetensors weights.pth
        muxnet convert muxnet_s muxnet_s.yaml --blocks
        muxnet convert muxnet_m --weights muxnet_m.safetensors muxnet_m.onnx --batch dynamic
        muxnet convert runs/digits digits.pth
        muxnet convert runs/digits digits.onnx
        muxnet convert runs/cells cells.onnx --post-processing
        muxnet convert runs/pets pets.muxnet --to runtime
        muxnet convert muxnet_m --weights m.pth m.muxnet --to runtime --labels imagenet.txt
        muxnet convert muxnet_m m.safetensors --random-weights
      """)

  @Argument(
    help: "A weights file or the folder of a run; or a network file or name.", completion: .file())
  var input: String

  @Argument(help: "The file to write.", completion: .file())
  var output: String

  @Option(name: .customLong("to"), help: "The format to write (default: by OUTPUT's extension).")
  var format: ConvertFormat?

  @Flag(help: "Replace OUTPUT if it exists.")
  var overwrite = false

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

  @Option(
    help: "A text file with one class name per line (with --to runtime).",
    completion: .file())
  var labels: String?

  @Option(help: "Lanes of the vectors to pack for; may be repeated (with --to runtime).")
  var lanes: [Int] = []

  @Flag(help: "Write the network INPUT with random weights, the same each time.")
  var randomWeights = false

  @Flag(help: "Write a network as block strings instead of layer by layer.")
  var blocks = false

  @OptionGroup(title: "ONNX") var onnx: ONNXOptions

  @OptionGroup var changes: ModelChangeOptions

  func validate() throws {
    let format = try target()
    let misplaced = format == .runtime ? onnx.givenBesidesWeights : onnx.given
    if format != .onnx, let option = misplaced {
      throw ValidationError("\(option) is for ONNX; name the output .onnx or give --to onnx")
    }
    if randomWeights, format != .safetensors {
      throw ValidationError("--random-weights is for an OUTPUT that ends in .safetensors")
    }
    if randomWeights, key != nil || type != nil {
      throw ValidationError("--random-weights reads no weights; leave --key and --type out")
    }
    if type != nil, ![.safetensors, .pytorch].contains(format) {
      throw ValidationError("--type is for weights: an OUTPUT that ends in .safetensors or .pth")
    }
    if blocks, format != .yaml {
      throw ValidationError("--blocks is for networks: an OUTPUT that ends in .yaml")
    }
    if blocks {
      try UnusedOptions.refuse([("key", key != nil)], because: "--blocks does not read weights")
    }
    switch format {
    case .safetensors where !randomWeights, .pytorch:
      try UnusedOptions.refuse(changes.given, because: "weights are converted as they are")
    case .runtime where onnx.weights == nil:
      try UnusedOptions.refuse(
        changes.given, because: "INPUT has its own network unless --weights are given beside it")
    default: break
    }
    if format != .runtime, labels != nil || !lanes.isEmpty {
      throw ValidationError("--labels and --lanes are for --to runtime")
    }
  }

  func run() throws {
    let target = try target()
    try ReportFile.check(output, overwrites: overwrite)
    switch target {
    case .json, .yaml: try writeNetwork(isJSON: target == .json)
    case .safetensors where randomWeights:
      let network = try NetworkFile.resolve(input, options: changes.options)
      try ModelFile(network, weights: RandomWeights.archive(network, seed: 1)).write(to: output)
      Console.note("wrote \(output): \(network.name) with random weights")
    case .safetensors, .pytorch: try writeWeights(target)
    case .onnx:
      let model = try onnx.export(input, key: key, changes: changes.options)
      try model.write(to: output)
      Console.note("wrote \(output): \(onnx.summary(of: model))")
    case .runtime: try writePacked()
    }
  }

  private func target() throws -> ConvertFormat {
    if let format { return format }
    guard let format = ConvertFormat(ending: output) else {
      throw ValidationError(
        "OUTPUT must end in \(ConvertFormat.endings), not '\(output)'; or give --to")
    }
    return format
  }

  private func writeNetwork(isJSON: Bool) throws {
    if blocks {
      let architecture = try NetworkFile.architecture(input).applying(changes.options)
      try AtomicFile.write(try NetworkFile.yaml(architecture), to: output)
    } else {
      let network = try ModelSource(input, changes.options, key: key).network
      let text =
        isJSON
        ? String(decoding: try NetworkFile.json(network), as: UTF8.self)
        : try NetworkFile.yaml(network)
      try AtomicFile.write(text, to: output)
    }
    Console.note("wrote \(output)")
  }

  private func writePacked() throws {
    let network = try onnx.weights.map { _ in
      try NetworkFile.resolve(input, options: changes.options)
    }
    let weights = try TrainedWeights(
      path: onnx.weights ?? input, network: network,
      classNames: try labels.map(Predictor.classNames(fromFile:)), key: key)
    Console.remark(weights.remark, path: weights.path)
    try weights.writePacked(to: output, lanes: lanes.isEmpty ? nil : lanes)
    let size = (try? FileManager.default.attributesOfItem(atPath: output)[.size]) as? Int ?? 0
    Console.note(
      "wrote \(output): \(weights.network.name), \(weights.classNames.count) classes,"
        + " \((Double(size) / 1e6).fixed(1)) MB")
  }

  private func writeWeights(_ format: ConvertFormat) throws {
    let file = try WeightsSource.load(input, key: key)
    for name in file.ignored {
      Console.warning("\(input): left out “\(name)”, which is not a weight")
    }
    if !file.leftOut.isEmpty {
      let names = file.leftOut.prefix(12).joined(separator: ", ")
      Console.note(
        "\(input): left out \(names)\(file.leftOut.count > 12 ? ", …" : ""); --key chooses")
    }
    var archive = file.archive.unwrapped
    try archive.checkValues(path: input)
    if let elementType = type.flatMap({ ElementType(rawValue: $0.rawValue) }) {
      let narrowed = try archive.convertingFloatingPoint(to: elementType, path: input)
      for (name, tensor) in archive {
        let rows = narrowed[name].map(tensor.rowsThatVanish) ?? 0
        if rows > 0 {
          Console.warning(
            "\(input): \(rows) row\(rows == 1 ? "" : "s") of “\(name)” are too small for"
              + " \(elementType.rawValue) and become 0")
        }
      }
      archive = narrowed
    }
    if format == .safetensors {
      try Safetensors.write(archive, to: output)
    } else {
      try PyTorchFile.write(archive, to: output)
    }
    let place = file.key.map { " (from the key “\($0)”)" } ?? ""
    Console.note("wrote \(output): \(archive.count) tensors\(place)")
  }
}
