// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// What can be wrong with a network, its description or its name.
public enum NetworkError: Error, Hashable, Sendable {
  /// A layer that cannot be built: impossible settings, unknown inputs, doubled names.
  case invalidLayer(name: String, reason: String)
  /// A layer that cannot run on the shape it is given.
  case shape(layer: String, reason: String)
  /// A block string that cannot be read; `offset` counts characters from its start.
  case blockString(text: String, offset: Int, reason: String)
  /// An architecture (stem, stages, head) with impossible settings.
  case architecture(name: String, reason: String)
  /// A model name that the zoo does not have.
  case unknownModel(name: String, nearest: [String])
  /// A layer name that the network does not have.
  case unknownLayer(name: String, network: String, nearest: [String])
  /// A file that is not a network or an architecture.
  case file(path: String, reason: String)
}

extension NetworkError: DescribedError {
  /// One line: what is wrong, where, and how to fix it.
  public var description: String {
    switch self {
    case .invalidLayer(let name, let reason): "layer '\(name)': \(reason)"
    case .shape(let layer, let reason): "layer '\(layer)' cannot run: \(reason)"
    case .blockString(let text, let offset, let reason):
      "block string '\(text)', character \(offset + 1): \(reason)"
    case .architecture(let name, let reason): "architecture '\(name)': \(reason)"
    case .unknownModel(let name, let nearest):
      "unknown model '\(name)'" + Self.suggestion(nearest)
    case .unknownLayer(let name, let network, let nearest):
      "network '\(network)' has no layer '\(name)'" + Self.suggestion(nearest)
    case .file(let path, let reason): "\(path): \(reason)"
    }
  }

  private static func suggestion(_ nearest: [String]) -> String {
    nearest.isEmpty
      ? ""
      : "; did you mean " + nearest.map { "'\($0)'" }.joined(separator: ", ") + "?"
  }
}
