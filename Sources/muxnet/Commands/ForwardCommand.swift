// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import MUXTraining

  /// Runs a network on raw tensors.
  struct ForwardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "forward",
      abstract: "Run a network on a tensor from a file, to compare it with another implementation.",
      discussion: """
        The input file is a safetensors file with a tensor “input” of shape [N, C, H, W]; the \
        output file gets a tensor “output”. The network runs in inference mode.

        EXAMPLES
          muxnet forward muxnet_m --weights m.pth --input in.safetensors --output out.safetensors
          muxnet forward muxnet_m --weights m.safetensors --input in.safetensors \\
            --output block.safetensors --layer blocks.4.0
        """)

    /// What computes.
    enum Engine: String, CaseIterable, ExpressibleByArgument {
      case torch, runtime
    }

    @OptionGroup var model: ModelOptionGroup

    @OptionGroup var weights: WeightsOptions

    @Option(help: "A safetensors file with the tensor “input”.", completion: .file())
    var input: String

    @Option(help: "The safetensors file to write.", completion: .file())
    var output: String

    @Option(help: "Write the value of this layer or block instead of the network's output.")
    var layer: String?

    @Option(help: "What computes.")
    var engine = Engine.torch

    @OptionGroup var device: DeviceOptions

    func run() throws {
      guard engine == .torch else {
        throw CommandError("the runtime engine is not in this version; use --engine torch")
      }
      let shape = try TensorFileRun.run(
        try model.network(), weights: weights.weights, key: weights.key, input: input,
        output: output, layer: layer, device: try device.prepare())
      Console.note("wrote \(output): output \(shape)")
    }
  }
#endif
