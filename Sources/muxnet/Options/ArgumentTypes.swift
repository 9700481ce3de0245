// SPDX-License-Identifier: Apache-2.0
// Public because a conformance of a public type to a public protocol cannot be less.
public import ArgumentParser
public import MUXNetworks
public import MUXONNX
public import MUXRuntime

extension ImageSize: ExpressibleByArgument {
  /// Reads `224` or `192x256`.
  public init?(argument: String) {
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard (1...2).contains(sides.count), let height = sides[0], let width = sides[sides.count - 1],
      height > 0, width > 0, height <= 1 << 16, width <= 1 << 16
    else { return nil }
    self.init(height: height, width: width)
  }
}

extension Precision: ExpressibleByArgument {}

extension ONNXExport.Batch: ExpressibleByArgument {
  /// Reads `8` or `dynamic`.
  public init?(argument: String) {
    if argument == "dynamic" {
      self = .dynamic
    } else if let count = Int(argument), count > 0 {
      self = .fixed(count)
    } else {
      return nil
    }
  }
}
