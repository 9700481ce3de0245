// SPDX-License-Identifier: Apache-2.0

/// A part of a data set.
public enum DataPart: String, Codable, CaseIterable, Sendable {
  /// What the weights are fitted to.
  case training
  /// What choices are made on.
  case validation
  /// What is looked at once, at the end.
  case test

  /// Names that folders of this part usually have, the first before all.
  public var folderNames: [String] {
    switch self {
    case .training: ["train"]
    case .validation: ["val", "valid", "validation"]
    case .test: ["test"]
    }
  }
}
