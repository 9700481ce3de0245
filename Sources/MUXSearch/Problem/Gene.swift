// SPDX-License-Identifier: Apache-2.0

/// One decision of a search: which of several choices, numbered from 0.
public struct Gene: Sendable, Hashable, Codable {
  /// What is decided, such as `stage2.kernel`.
  public var name: String
  /// The number of choices; a value of the gene lies in 0 ..< choices.
  public var choices: Int
  /// Whether near numbers mean similar choices (sizes, counts), so that operators may take steps;
  /// the choices of other genes are mere names.
  public var isOrdered: Bool

  /// A gene; one that is not ordered has no nearer and farther choices.
  public init(_ name: String, choices: Int, isOrdered: Bool = true) {
    self.name = name
    self.choices = choices
    self.isOrdered = isOrdered
  }
}

/// A point of a search space: for each gene the number of its choice.
public struct Genome: Sendable, Hashable, Codable, ExpressibleByArrayLiteral {
  /// The choices, in the order of the genes.
  public var values: [Int]

  /// A genome of these choices.
  public init(_ values: [Int]) { self.values = values }

  /// A genome of these choices.
  public init(arrayLiteral elements: Int...) { values = elements }

  /// Reads the choices from an array.
  public init(from decoder: any Decoder) throws {
    values = try decoder.singleValueContainer().decode([Int].self)
  }

  /// Writes the choices as an array.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }

  /// The choice of a gene.
  public subscript(index: Int) -> Int {
    get { values[index] }
    set { values[index] = newValue }
  }
}
