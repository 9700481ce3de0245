// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct WeightsOptions: ParsableArguments {
  @Option(
    help: """
      Weights: a safetensors, PyTorch or packed file, the folder of a run, or a name from muxnet \
      weights list.
      """,
    completion: .file())
  var weights: String

  @Option(help: "Key of the state dict in a PyTorch checkpoint.")
  var key: String?
}
