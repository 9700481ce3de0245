// SPDX-License-Identifier: Apache-2.0
package import MUXSearch

/// What a gene's choice means: a number such as a width, or a name such as a multiplexing.
package enum ChoiceValue: Sendable, Hashable, Codable, CustomStringConvertible {
  /// A size, count or ratio.
  case number(Double)
  case name(String)

  /// The meaning of a choice by its text; only what is ordered is a number.
  init(_ text: String, isOrdered: Bool) {
    self = isOrdered ? Double(text).map { .number($0) } ?? .name(text) : .name(text)
  }

  /// Reads a number or a text.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      self = .number(number)
    } else {
      self = .name(try container.decode(String.self))
    }
  }

  /// Writes a number or a text.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .number(let value): try container.encode(value)
    case .name(let text): try container.encode(text)
    }
  }

  /// As it stands in a table.
  package var description: String {
    switch self {
    case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
    case .name(let text): text
    }
  }
}

extension StudyDefinition {
  /// The names of the genes.
  package var geneNames: [String] { ((try? namedChoices()) ?? []).map(\.name) }

  /// What each choice of a gene means; none where there is no such gene.
  package func meanings(ofGene name: String) -> (place: Int, choices: [ChoiceValue])? {
    guard let all = try? namedChoices(), let place = all.firstIndex(where: { $0.name == name })
    else {
      return nil
    }
    let genes = networkDomain?.genes ?? []
    let isOrdered = genes.indices.contains(place) ? genes[place].isOrdered : false
    return (place, all[place].choices.map { ChoiceValue($0, isOrdered: isOrdered) })
  }

  /// What the choices of a genome mean, by the names of the genes.
  package func choices(of genome: Genome) throws(SearchError) -> [String: ChoiceValue] {
    let list = try choiceList(of: genome)
    return Dictionary(list, uniquingKeysWith: { first, _ in first })
  }

  /// The same in the order of the genes.
  func choiceList(of genome: Genome) throws(SearchError) -> [(String, ChoiceValue)] {
    let genes = networkDomain?.genes ?? []
    return zip(try namedChoices(), genome.values).enumerated().map { place, pair in
      let (gene, value) = pair
      let text = gene.choices.indices.contains(value) ? gene.choices[value] : "\(value)"
      let isOrdered = genes.indices.contains(place) ? genes[place].isOrdered : false
      return (gene.name, ChoiceValue(text, isOrdered: isOrdered))
    }
  }
}
