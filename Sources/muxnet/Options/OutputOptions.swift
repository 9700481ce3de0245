// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// In which form results are printed.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print the result as JSON.")
  var json = false
}
