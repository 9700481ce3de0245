// SPDX-License-Identifier: Apache-2.0

/// Where the features of an image lie once its classes are known: what the last fully connected layer
/// reads. Nothing is written over them, since they are read until the last step.
struct FeaturePlace: Hashable, Sendable {
  /// Floats from the arena's start, one for each feature.
  var offsets: [Int]

  /// Nil where the network does not end with a fully connected layer.
  init?(_ program: Program, _ placement: Placement) {
    guard program.outputs.count == 1, let output = program.outputs.first,
      case .linear(let linear) = program.steps.last?.operation,
      case .planes(let planes) = linear.input, planes.pixels == 1,
      program.plane(Channel(linear.output, 0)) == output.place
    else { return nil }
    offsets = planes.channels.map { placement[program.plane($0)] }
  }

  /// Where they begin, if they lie side by side.
  var start: Int? {
    guard let start = offsets.first, offsets.elementsEqual(start..<start + offsets.count) else {
      return nil
    }
    return start
  }
}
