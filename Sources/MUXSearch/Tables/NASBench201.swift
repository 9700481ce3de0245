// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// NAS-Bench-201 (Dong and Yang, ICLR 2020): 15,625 cells of six edges with five operations.
///
/// The file has accuracies only; parameters and multiply-adds are computed here from the cell by the
/// benchmark's network: a 3×3 stem to 16 channels, three stages of five cells (16, 32, 64 channels on
/// 32, 16, 8 pixels) with a basic residual block of stride 2 between them, batch norm, global mean,
/// linear to 10. The published counts leave out batch norms and pools and count the classifier's
/// biases; so does ``Costs/multiplyAdds``.
public enum NASBench201 {
  /// The file's name in the project's data folder.
  public static let fileName = "nas-bench-201_cifar10.csv.gz"

  /// An edge's operation.
  public enum Operation: Int, Sendable, CaseIterable {
    /// No connection.
    case none
    /// Identity.
    case skip
    /// 3×3 average.
    case averagePool
    /// 1×1 convolution with batch norm.
    case convolution1
    /// 3×3 convolution with batch norm.
    case convolution3

    /// The operation's name in architecture strings.
    public var name: String {
      switch self {
      case .none: "none"
      case .skip: "skip_connect"
      case .averagePool: "avg_pool_3x3"
      case .convolution1: "nor_conv_1x1"
      case .convolution3: "nor_conv_3x3"
      }
    }

    private var kernelSize: Int? {
      switch self {
      case .convolution1: 1
      case .convolution3: 3
      default: nil
      }
    }

    fileprivate func costs(channels: Int, side: Int) -> Costs {
      guard let kernelSize else { return Costs(parameters: 0, multiplyAdds: 0) }
      return .convolution(channels, channels, kernelSize, side: side, isNormalized: true)
    }
  }

  /// What a network costs on one image of 32×32 pixels.
  public struct Costs: Sendable, Hashable {
    /// Learnable scalars.
    public var parameters: Int
    /// Multiply-adds in the benchmark's convention.
    public var multiplyAdds: Int

    fileprivate static func convolution(
      _ input: Int, _ output: Int, _ kernel: Int, side: Int, isNormalized: Bool
    ) -> Costs {
      let weights = input * output * kernel * kernel
      return Costs(
        parameters: weights + (isNormalized ? 2 * output : 0), multiplyAdds: weights * side * side)
    }

    fileprivate static func + (left: Costs, right: Costs) -> Costs {
      Costs(
        parameters: left.parameters + right.parameters,
        multiplyAdds: left.multiplyAdds + right.multiplyAdds)
    }
  }

  /// The costs of the network with a cell of these six operations, in the order of the string, for so
  /// many classes and images of `side` pixels.
  public static func costs(of cell: [Operation], classes: Int = 10, side whole: Int = 32) -> Costs {
    var total = Costs.convolution(3, 16, 3, side: whole, isNormalized: true)
    for (channels, side) in [(16, whole), (32, whole / 2), (64, whole / 4)] {
      if channels > 16 {
        let narrow = channels / 2
        total = total + .convolution(narrow, channels, 3, side: side, isNormalized: true)
        total = total + .convolution(channels, channels, 3, side: side, isNormalized: true)
        total = total + .convolution(narrow, channels, 1, side: side, isNormalized: false)
      }
      for _ in 0..<5 {
        for operation in cell { total = total + operation.costs(channels: channels, side: side) }
      }
    }
    let classifier = 64 * classes + classes
    return total + Costs(parameters: 2 * 64 + classifier, multiplyAdds: classifier)
  }

  /// Reads an architecture string such as
  /// `|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|`.
  public static func cell(_ text: String) -> [Operation]? {
    let nodes = text.split(separator: "+")
    guard nodes.count == 3 else { return nil }
    var cell: [Operation] = []
    for (node, edges) in nodes.enumerated() {
      let edges = edges.split(separator: "|")
      guard edges.count == node + 1 else { return nil }
      for (source, edge) in edges.enumerated() {
        let sides = edge.split(separator: "~")
        guard sides.count == 2, sides[1] == String(source),
          let operation = Operation.allCases.first(where: { $0.name == sides[0] })
        else { return nil }
        cell.append(operation)
      }
    }
    return cell
  }

  /// The decisions: the operation of each edge.
  package static let genes = ["0→1", "0→2", "1→2", "0→3", "1→3", "2→3"].map {
    Gene($0, choices: Operation.allCases.count, isOrdered: false)
  }

  /// Reads lines of architecture string and test accuracy in percent, compressed or not.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  public static func read(
    _ url: URL, errorScale: Double = 100.0 / 3
  ) throws(SearchError) -> TabularBenchmark {
    try read(
      url, name: "nas-bench-201", column: nil, classes: 10, side: 32, errorScale: errorScale)
  }

  /// Reads lines of architecture string and, in the column of that name or the only one, test accuracy.
  static func read(
    _ url: URL, name: String, column: String?, classes: Int, side: Int, errorScale: Double
  ) throws(SearchError) -> TabularBenchmark {
    let path = url.path(percentEncoded: false)
    var rows = [[Double]](repeating: [], count: 15625)
    let lines = String(decoding: try GzipReader.read(url), as: UTF8.self)
      .split(whereSeparator: \.isNewline)
    let header = (lines.first ?? "").split(separator: ",")
    var place = 1
    if let column {
      guard let found = header.firstIndex(where: { $0 == column }), found > 0 else {
        throw .table(path: path, reason: "has no column '\(column)'")
      }
      place = found
    }
    let count = column == nil ? 2 : header.count
    for (number, line) in lines.enumerated() where number > 0 {
      let fields = line.split(separator: ",")
      guard fields.count == count, let cell = cell(String(fields[0])),
        let accuracy = Double(fields[place]), (0...100).contains(accuracy)
      else {
        throw .table(
          path: path,
          reason: "line \(number + 1) is not 'architecture,\(column ?? "accuracy")'")
      }
      let costs = costs(of: cell, classes: classes, side: side)
      let index = cell.reduce(0) { $0 * Operation.allCases.count + $1.rawValue }
      rows[index] = [100 - accuracy, Double(costs.parameters), Double(costs.multiplyAdds)]
    }
    if rows.contains([]) {
      throw .table(path: path, reason: "some of the 15,625 cells are missing")
    }
    return try TabularBenchmark(
      name: name, path: path, genes: genes, rows: rows, errorScale: errorScale)
  }
}
