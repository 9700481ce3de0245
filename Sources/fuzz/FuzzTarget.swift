// SPDX-License-Identifier: Apache-2.0

/// A reader that is fed with broken input.
protocol FuzzTarget: Sendable {
  /// The name on the command line.
  var name: String { get }
  /// Pieces of the format that mutations put in.
  var words: [String] { get }
  /// Small sound inputs to begin with.
  func corpus() throws -> [[UInt8]]
  /// Reads an input and uses what it holds. Errors are allowed, anything else that ends it is a fault.
  func read(_ bytes: [UInt8]) throws
}

extension FuzzTarget {
  var words: [String] { [] }
}

/// The readers that are fed.
enum FuzzTargets {
  static let all: [any FuzzTarget] = [
    SafetensorsTarget(), PyTorchTarget(), PackedTarget(), ImageTarget(), NetworkTarget(),
    SpaceTarget(), RecipeTarget(), StorageTarget(),
  ]

  static func named(_ name: String) -> (any FuzzTarget)? { all.first { $0.name == name } }
}
