// SPDX-License-Identifier: Apache-2.0
public import MUXCore
package import MUXNetworks

/// What may differ between a weights file and the network that it is loaded into.
public enum LoadTolerance: String, Sendable, Hashable, Codable, CaseIterable {
  /// Nothing: every name and shape must fit.
  case exact
  /// The classifier: where its shape differs (or it is missing), the fresh one stays. For transfer
  /// to other classes.
  case newHead
  /// Anything: what fits is loaded, the rest stays as it is.
  case partial
}

/// How a weights file and a network fit together.
public struct LoadReport: Sendable, Hashable {
  /// A tensor of another shape in the file than in the network.
  public struct Mismatch: Sendable, Hashable {
    /// The tensor's name in the network.
    public var name: String
    /// The network's shape.
    public var expected: [Int]
    /// The file's shape.
    public var actual: [Int]

    /// A tensor of two shapes.
    public init(name: String, expected: [Int], actual: [Int]) {
      self.name = name
      self.expected = expected
      self.actual = actual
    }
  }

  /// Names that were loaded, in the order of the state dict.
  public var loaded: [String] = []
  /// Names that the network has and the file lacks.
  public var missing: [String] = []
  /// Names that the file has and the network lacks.
  public var unexpected: [String] = []
  /// Names in both, of different shapes.
  public var mismatched: [Mismatch] = []

  /// Nothing compared yet.
  public init() {}

  /// Whether all of the network and all of the file came together.
  public var isComplete: Bool { missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty }
}

extension LoadReport {
  /// How tensors and the parameters of a network fit together.
  ///
  /// Missing batch counters are no fault: PyTorch wrote none before 0.4.1, and nothing here depends
  /// on them.
  package init(_ archive: TensorArchive, for parameters: [ParameterSpecification]) {
    self.init()
    for parameter in parameters {
      guard let source = archive[parameter.name] else {
        if parameter.role != .batchCount { missing.append(parameter.name) }
        continue
      }
      if source.shape == parameter.shape {
        loaded.append(parameter.name)
      } else {
        mismatched.append(
          Mismatch(name: parameter.name, expected: parameter.shape, actual: source.shape))
      }
    }
    let known = Set(parameters.map(\.name))
    unexpected = archive.names.filter { !known.contains($0) }
  }
}

extension LoadReport: CustomStringConvertible {
  /// One line with the numbers and the first names of each kind.
  public var description: String {
    func list(_ names: [String]) -> String {
      names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    }
    var parts: [String] = []
    if !missing.isEmpty { parts.append("\(missing.count) missing (\(list(missing)))") }
    if !unexpected.isEmpty { parts.append("\(unexpected.count) unexpected (\(list(unexpected)))") }
    if !mismatched.isEmpty {
      let names = mismatched.map { "\($0.name): \($0.actual) instead of \($0.expected)" }
      parts.append("\(mismatched.count) of another shape (\(list(names)))")
    }
    return "\(loaded.count) tensors fit" + parts.map { ", \($0)" }.joined()
  }
}

/// Weights that do not fit a network; nothing of them was loaded.
public struct WeightsMismatchError: Error, Sendable, Hashable {
  /// The network's name.
  public var network: String
  /// The file, if the weights came from one.
  public var path: String?
  /// What fits and what does not.
  public var report: LoadReport
  /// What was allowed to differ.
  public var tolerance: LoadTolerance

  /// An error from its parts.
  public init(network: String, path: String?, report: LoadReport, tolerance: LoadTolerance) {
    self.network = network
    self.path = path
    self.report = report
    self.tolerance = tolerance
  }
}

extension WeightsMismatchError: DescribedError {
  /// One line: what, where and how to fix it.
  public var description: String {
    let remedy =
      if tolerance == .partial { "is it a file for another network?" } else {
        "allow a new head (model.replacesHead=true) or a partial load"
          + " (model.allowsPartialWeights=true) if that is meant"
      }
    return "\(path ?? "the weights") do not fit network '\(network)': \(report); \(remedy)"
  }
}
