// SPDX-License-Identifier: Apache-2.0

/// Which default box learns which object.
///
/// Every default box takes the object that it overlaps most, from a threshold on; beside that every object
/// gets the default box that overlaps it most, however little. An object that no default box touches is
/// left out: what it would teach is absurd.
public struct PriorMatching: Sendable, Hashable {
  /// What happens where several objects have the same best default box.
  public enum Rule: String, Sendable, Hashable, Codable, CaseIterable {
    /// The last object takes it; an earlier one may be left without any.
    case lastWins
    /// The best pair of all is taken first, and no default box twice, so that no object goes without.
    case bipartite
  }

  /// The least overlap of a default box with the object that it takes.
  public var threshold: Double
  /// What happens where several objects have the same best default box.
  public var rule: Rule

  /// Bipartite pairs of less overlap are none (as in the original code).
  private static let leastOverlap = 1e-6

  /// A matching.
  public init(threshold: Double = 0.5, rule: Rule = .lastWins) {
    self.threshold = threshold
    self.rule = rule
  }

  /// The object of each default box, nil for background.
  ///
  /// - Parameters:
  ///   - priors: The default boxes (the edges of ``PriorBoxes``).
  ///   - objects: The objects, in shares of the image.
  public func objects(of priors: [BoundingBox], _ objects: [BoundingBox]) -> [Int?] {
    var matches = [Int?](repeating: nil, count: priors.count)
    guard !objects.isEmpty else { return matches }
    var best = [Double](repeating: 0, count: priors.count)
    var favourites: [(prior: Int, overlap: Double)] = []
    for (number, object) in objects.enumerated() {
      var favourite = (prior: 0, overlap: 0.0)
      for index in priors.indices {
        let overlap = object.overlap(priors[index])
        if overlap > best[index] {
          best[index] = overlap
          if overlap >= threshold { matches[index] = number }
        }
        if overlap > favourite.overlap { favourite = (index, overlap) }
      }
      favourites.append(favourite)
    }
    switch rule {
    case .lastWins:
      for (number, favourite) in favourites.enumerated() where favourite.overlap > 0 {
        matches[favourite.prior] = number
      }
    case .bipartite:
      pair(objects, with: priors, favourites: &favourites, matches: &matches)
    }
    return matches
  }

  /// Takes the best pair, and the best of what is left, until every object has a default box.
  private func pair(
    _ objects: [BoundingBox], with priors: [BoundingBox],
    favourites: inout [(prior: Int, overlap: Double)], matches: inout [Int?]
  ) {
    var isTaken = [Bool](repeating: false, count: priors.count)
    var open = Set(objects.indices)
    while true {
      var next: Int?
      for number in objects.indices where open.contains(number) {
        if favourites[number].overlap > next.map({ favourites[$0].overlap }) ?? Self.leastOverlap {
          next = number
        }
      }
      guard let number = next else { return }
      guard isTaken[favourites[number].prior] else {
        isTaken[favourites[number].prior] = true
        matches[favourites[number].prior] = number
        open.remove(number)
        continue
      }
      favourites[number] = (0, 0)
      for index in priors.indices where !isTaken[index] {
        let overlap = objects[number].overlap(priors[index])
        if overlap > favourites[number].overlap { favourites[number] = (index, overlap) }
      }
    }
  }
}
