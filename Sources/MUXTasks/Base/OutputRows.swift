// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// The one output [N, K] of a network that has one value a class, or so, for each image.
package struct OutputRows {
  /// Images, N.
  package let count: Int
  /// Values an image, K.
  package let width: Int
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

  package subscript(image: Int) -> ArraySlice<Float> { values[image * width..<(image + 1) * width] }
}

extension OutputRows {
  /// One output whose values are means over several views, in the form of the network's own outputs.
  ///
  /// - Parameters:
  ///   - views: The outputs for each view.
  ///   - rows: The values of a view.
  ///   - probabilities: Those of one image.
  ///   - output: The value whose probability is so much.
  static func average(
    _ views: [[OutputTensor]], rows: ([OutputTensor]) throws -> OutputRows,
    probabilities: (ArraySlice<Float>) -> [Double], output: (Double) -> Double
  ) throws -> [OutputTensor] {
    guard let first = views.first?.first else { return [] }
    var sums: [Double] = []
    for view in views {
      let rows = try rows(view)
      let values = (0..<rows.count).flatMap { probabilities(rows[$0]) }
      if sums.isEmpty {
        sums = values
      } else {
        for index in sums.indices { sums[index] += values[index] }
      }
    }
    return [
      OutputTensor(
        name: first.name, shape: first.shape,
        values: sums.map { Float(output($0 / Double(views.count))) })
    ]
  }
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
