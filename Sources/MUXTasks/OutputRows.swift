// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// The one output [N, K] of a network that has one value a class, or so, for each image.
package struct OutputRows {
  /// Images, N.
  package let count: Int
  /// Values an image, K.
  package let width: Int
  /// All values, row by row.
  package let values: [Float]

  /// Takes the one output, which has to be `width` wide.
  package init(
    _ outputs: [OutputTensor], width: Int, classes: Int, network: String, task: String
  ) throws(TaskError) {
    guard outputs.count == 1, let output = outputs.first else {
      throw .severalOutputs(task: task, network: network, count: outputs.count)
    }
    guard output.values.count == output.count * width else {
      throw .outputCount(
        task: task, network: network, outputs: output.values.count / max(output.count, 1),
        classes: classes, expected: width)
    }
    count = output.count
    self.width = width
    values = output.values
  }

  /// The values of an image.
  package subscript(image: Int) -> ArraySlice<Float> { values[image * width..<(image + 1) * width] }
}

extension Network {
  /// Makes sure that the network has one output, as wide as a task needs it; the width of one that
  /// does not end in a linear layer shows when it runs.
  package func requireOutputs(
    _ width: Int, classes: Int, task: String
  ) throws(TaskError) {
    guard outputs.count == 1 else {
      throw .severalOutputs(task: task, network: name, count: outputs.count)
    }
    if let own = classCount, own != width {
      throw .outputCount(
        task: task, network: name, outputs: own, classes: classes, expected: width)
    }
  }
}
