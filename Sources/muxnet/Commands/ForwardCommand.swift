// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXEvaluation
import MUXReport

#if TORCH
  import MUXTraining
#endif

/// Runs a network on raw tensors.
struct ForwardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward",
    abstract: "Run a network on a tensor from a file, to compare it with another implementation.",
    discussion: """
      The input file is a safetensors file with a tensor “input” of shape [N, C, H, W]; the output \
      file gets a tensor “output”, or for a detector one tensor per output, under the name of its \
      layer. The network runs in inference mode, on libtorch if this build has it, otherwise (or \
      with --engine runtime) in the inference runtime.

      EXAMPLES
        muxnet forward muxnet_m --weights m.pth --input in.safetensors --output out.safetensors
        muxnet forward muxnet_m --weights m.safetensors --input in.safetensors \\
          --output block.safetensors --layer blocks.4.0
        muxnet forward muxnet_m --weights m.pth --input in.safetensors --output out.safetensors \\
          --engine runtime
      """)

  @OptionGroup var model: ModelOptionGroup

  @OptionGroup var weights: WeightsOptions

  @Option(help: "A safetensors file with the tensor “input”.", completion: .file())
  var input: String

  @Option(help: "The safetensors file to write.", completion: .file())
  var output: String

  @Option(help: "Write the value of this layer or block instead of the network's output.")
  var layer: String?

  @Flag(help: "Replace the file of --output if it exists.")
  var overwrite = false

  @OptionGroup var engine: EngineOptions

  func run() throws {
    try ReportFile.check(
      output, overwrites: overwrite, inputs: [input, weights.weights, model.model])
    #if TORCH
      let usual = Engine.torch
    #else
      let usual = Engine.runtime
    #endif
    let shapes: [[Int]]
    switch engine.chosen(usual: usual) {
    case .runtime:
      shapes = try TensorFileRun.runtime(
        try model.network(), weights: weights.weights, key: weights.key, input: input,
        output: output, layer: layer, threads: engine.runtimeThreads, precision: engine.precision)
    case .torch:
      #if TORCH
        guard engine.precision == nil || engine.precision == .float32 else {
          throw CommandError(
            "forward on libtorch computes in float32; use --engine runtime for other precisions")
        }
        shapes = try TensorFileRun.torch(
          try model.network(), weights: weights.weights, key: weights.key, input: input,
          output: output, layer: layer, device: try engine.prepareTorch())
      #else
        throw EngineOptions.torchIsAbsent
      #endif
    }
    Console.note(
      "wrote \(output): output \(shapes.map(\.description).joined(separator: ", "))")
  }
}
