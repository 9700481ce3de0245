// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// NATS-Bench's topology space (Dong et al., 2021): the cells of NAS-Bench-201 with their test accuracy
/// after 200 epochs on three data sets.
///
/// Parameters and multiply-adds are those of ``NASBench201`` with the data set's images and classes.
public enum NATSBench {
  /// The file's name in a folder of tables.
  public static let fileName = "nats-bench-tss.csv.gz"

  /// The data sets, by their columns.
  public enum DataSet: String, Sendable, CaseIterable {
    /// CIFAR-10.
    case cifar10
    /// CIFAR-100.
    case cifar100
    /// ImageNet16-120: 120 classes of ImageNet with 16×16 pixels.
    case imagenet16

    /// The name of the table.
    public var tableName: String { "nats-bench-\(rawValue)" }

    func column(_ epochs: Epochs) -> String { "\(rawValue)_test_\(epochs.rawValue)" }

    var classes: Int {
      switch self {
      case .cifar10: 10
      case .cifar100: 100
      case .imagenet16: 120
      }
    }

    var side: Int { self == .imagenet16 ? 16 : 32 }
  }

  /// How long the cells were trained, by their columns.
  public enum Epochs: Int, Sendable, CaseIterable {
    /// Twelve epochs: what a cheap look at a network costs.
    case short = 12
    /// Two hundred.
    case full = 200
  }

  /// Reads the table of a data set; columns are found by name.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  public static func read(
    _ url: URL, _ data: DataSet, epochs: Epochs = .full, errorScale: Double = 100.0 / 3
  ) throws(SearchError) -> TabularBenchmark {
    try NASBench201.read(
      url, name: data.tableName, column: data.column(epochs), classes: data.classes,
      side: data.side,
      errorScale: errorScale)
  }
}
