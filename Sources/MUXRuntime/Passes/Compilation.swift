// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// The passes that need no weights, one after the other.
struct Compilation {
  /// What each pass makes of a network.
  let matches: [Match]
  let lowered: Program
  let program: Program

  /// Compiles a network for images of one size.
  ///
  /// - Throws: `NetworkError` if the images are too small for the network,
  ///   ``RuntimeError/unsupported(layer:reason:)`` if it is too large to run.
  init(_ network: Network, inputSize: ImageSize, target: PlanTarget) throws {
    let analysis = try NetworkAnalysis(network, inputSize: inputSize)
    let ownShapes = inputSize == network.inputSize ? analysis.shapes : try network.shapes()
    try PlanLimits.check(network, shapes: analysis.shapes)
    matches = Matcher.match(analysis)
    lowered = Lowering.lower(matches, analysis, ownShapes: ownShapes, for: target)
    program = FormatChoice.chooseFormats(lowered)
  }
}
