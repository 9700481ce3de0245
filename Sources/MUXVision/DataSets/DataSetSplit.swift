// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Some samples of another data set, in a given order.
public struct DataSubset: ImageDataSet {
  /// The data set that the samples come from.
  public let base: any ImageDataSet
  /// The samples' indices in `base`.
  public let indices: [Int]
  /// The division of `base`, and how these samples were divided off it where groups were kept together.
  public let division: String?

  /// Takes the samples at `indices`; `division` says how they were divided off, for what is said about
  /// results.
  public init(_ base: any ImageDataSet, indices: [Int], division: String? = nil) {
    precondition(
      indices.allSatisfy { $0 >= 0 && $0 < base.count }, "an index lies outside the data set")
    self.base = base
    self.indices = indices
    let divisions = [base.division, division].compactMap { $0 }
    self.division = divisions.isEmpty ? nil : divisions.joined(separator: ", ")
  }

  /// The number of samples taken.
  public var count: Int { indices.count }
  /// The classes of `base`, also those without a sample here.
  public var classNames: [String] { base.classNames }
  /// The numbers of the classes in `base`.
  public var categoryIDs: [Int]? { base.categoryIDs }
  /// A hash of the whole data set and of which of its samples these are.
  public var contentHash: UInt64 {
    var hash = StableHash()
    hash.add(base.contentHash)
    for index in indices { hash.add(index) }
    return hash.value
  }
  /// What the whole data set leaves out.
  public var leftOut: LeftOut { base.leftOut }
  /// What is known about a sample.
  public func target(at index: Int) -> Target { base.target(at: indices[index]) }
  /// What a sample belongs to.
  public func group(at index: Int) -> String? { base.group(at: indices[index]) }
  /// The size of a sample's image in its file.
  public func storedSize(at index: Int) -> ImageSize? { base.storedSize(at: indices[index]) }
  /// The stratum of a sample.
  public func stratum(at index: Int) -> Int { base.stratum(at: indices[index]) }
  /// The name of a sample in `base`.
  public func name(at index: Int) -> String { base.name(at: indices[index]) }
  /// Decodes a sample.
  public func image(at index: Int) throws -> Image { try base.image(at: indices[index]) }
  /// A sample as `base` gives it.
  public func sample(at index: Int) throws -> Sample { try base.sample(at: indices[index]) }
  /// The steps that the images of `base` have been through.
  public var preparation: [ImageTransform] { base.preparation }
}

extension ImageDataSet {
  /// Splits the data set in parts that have the same share of each class (of each stratum, to be exact).
  ///
  /// The split follows from the seed and the strata alone. Within a part the samples keep the
  /// order they have here. Samples of one group (``ImageDataSet/group(at:)``) stay together.
  /// - Parameters:
  ///   - fractions: The share of each part, such as `[0.8, 0.1, 0.1]`; they sum to at most 1
  ///     (what remains is left out).
  ///   - seed: Another seed, another split.
  /// - Throws: `DataSetError.wrongSplit` if a part would be empty.
  public func split(fractions: [Double], seed: UInt64) throws(DataSetError) -> [DataSubset] {
    guard !fractions.isEmpty, fractions.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
      throw .wrongSplit(reason: "each fraction must be above 0 and at most 1, not \(fractions)")
    }
    guard fractions.reduce(0, +) <= 1 + 1e-9 else {
      throw .wrongSplit(reason: "the fractions \(fractions) sum to more than 1")
    }
    if let groups = SampleGroups(self) {
      let parts = groups.dealt(into: fractions, seed: seed)
      try Self.requireFilled(parts, fractions, count: count)
      return parts.map {
        DataSubset(self, indices: $0, division: groups.division(seed: seed))
      }
    }
    var members: [[Int]] = []
    for index in 0..<count {
      let stratum = stratum(at: index)
      while members.count <= stratum { members.append([]) }
      members[stratum].append(index)
    }
    var parts = [[Int]](repeating: [], count: fractions.count)
    for (stratum, own) in members.enumerated() {
      var random = RandomStream(seed: seed, purpose: .split, indices: UInt64(stratum))
      let order = random.permutation(own.count)
      // Cut at rounded running sums, so that rounding never adds up.
      var sum = 0.0
      var start = 0
      for (part, fraction) in fractions.enumerated() {
        sum += fraction
        let end = min(own.count, Int((sum * Double(own.count)).rounded()))
        parts[part] += order[start..<end].map { own[$0] }
        start = end
      }
    }
    try Self.requireFilled(parts, fractions, count: count)
    return parts.map { DataSubset(self, indices: $0.sorted()) }
  }

  private static func requireFilled(
    _ parts: [[Int]], _ fractions: [Double], count: Int
  ) throws(DataSetError) {
    for (part, indices) in parts.enumerated() where indices.isEmpty {
      throw .wrongSplit(
        reason: "part \(part + 1) of \(parts.count) would be empty with \(count) samples; give it"
          + " a larger fraction than \(fractions[part])")
    }
  }

  /// One of several divisions for cross-validation: every sample is held out in exactly one of them.
  ///
  /// Each class (each stratum, to be exact) is dealt out evenly; what is held out follows from the seed,
  /// the strata and the number of folds alone. Samples of one group stay together.
  /// - Parameters:
  ///   - fold: Which division, from 1.
  ///   - folds: How many there are, at least 2.
  ///   - seed: Another seed, other divisions.
  /// - Throws: `DataSetError.wrongSplit` where there is no such fold, or a part would be empty.
  public func fold(
    _ fold: Int, of folds: Int, seed: UInt64
  ) throws(DataSetError) -> (training: DataSubset, validation: DataSubset) {
    guard folds >= 2, (1...folds).contains(fold) else {
      throw .wrongSplit(
        reason: "there is no fold \(fold) of \(folds); at least 2 are numbered from 1")
    }
    guard folds <= count else {
      throw .wrongSplit(reason: "\(count) samples cannot be divided into \(folds) folds")
    }
    if let groups = SampleGroups(self) {
      let parts = groups.dealt(
        into: [Double](repeating: 1 / Double(folds), count: folds), seed: seed)
      guard !parts.contains([]) else {
        throw .wrongSplit(
          reason: "\(groups.count) groups of samples cannot be divided into \(folds) folds")
      }
      let held = Set(parts[fold - 1])
      let division = groups.division(seed: seed)
      return (
        DataSubset(
          self, indices: (0..<count).filter { !held.contains($0) }, division: division),
        DataSubset(self, indices: parts[fold - 1], division: division)
      )
    }
    var members: [[Int]] = []
    for index in 0..<count {
      let stratum = stratum(at: index)
      while members.count <= stratum { members.append([]) }
      members[stratum].append(index)
    }
    var (kept, held): ([Int], [Int]) = ([], [])
    // Dealt on from class to class, so that small classes do not all fall to the first folds.
    var dealt = 0
    for (stratum, own) in members.enumerated() {
      var random = RandomStream(seed: seed, purpose: .split, indices: UInt64(stratum))
      for place in random.permutation(own.count) {
        if dealt % folds == fold - 1 { held.append(own[place]) } else { kept.append(own[place]) }
        dealt += 1
      }
    }
    return (DataSubset(self, indices: kept.sorted()), DataSubset(self, indices: held.sorted()))
  }
}
