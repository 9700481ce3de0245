// SPDX-License-Identifier: Apache-2.0

/// Reads one block string; see ``BlockStringGrammar``.
struct BlockStringParser {
  /// The keys, longest first, so that `se0.25` is not read as stride `e0.25`.
  private static let keys = [
    "sc", "se", "sg", "gw", "r", "k", "s", "e", "c", "l", "n", "f", "a", "p",
  ]

  let text: String
  private var block = BlockSpecification(.invertedResidual, channels: 0)
  private var seen: Set<String> = []

  init(text: String) {
    self.text = text
  }

  mutating func parse() throws(NetworkError) -> BlockSpecification {
    let tokens = text.split(separator: "_", omittingEmptySubsequences: false)
    let first = tokens[0]
    guard let kind = BlockSpecification.Kind(rawValue: String(first)) else {
      let kinds = BlockSpecification.Kind.allCases.map(\.rawValue).joined(separator: ", ")
      throw error(at: first, "a block starts with one of \(kinds), not '\(first)'")
    }
    block = BlockSpecification(kind, channels: 0)
    for token in tokens.dropFirst() { try read(token) }
    guard seen.contains("c") else {
      throw error(at: text[text.endIndex...], "the output channels are missing; add c and a number")
    }
    return block
  }

  private mutating func read(_ token: Substring) throws(NetworkError) {
    if token == "noskip" {
      guard seen.insert("noskip").inserted else { throw error(at: token, "'noskip' stands twice") }
      block.skipsResidual = true
      return
    }
    guard let key = Self.keys.first(where: { token.hasPrefix($0) }) else {
      throw error(at: token, "unknown token '\(token)'")
    }
    guard seen.insert(key).inserted else { throw error(at: token, "'\(key)' stands twice") }
    let value = token.dropFirst(key.count)
    try check(key, at: token)
    switch key {
    case "r": block.repeats = try positive(value, of: key)
    case "k": block.kernelSizes = try kernels(value)
    case "s": block.stride = try positive(value, of: key)
    case "e": block.expansion = try ratio(value, of: key, in: BlockSpecification.Bounds.expansion)
    case "c": block.channels = try positive(value, of: key)
    case "se":
      block.squeezeRatio = try ratio(value, of: key, in: BlockSpecification.Bounds.squeezeRatio)
    case "l":
      block.leaveOutRatio = try ratio(value, of: key, in: BlockSpecification.Bounds.leaveOutRatio)
    case "gw": block.groupWidth = try positive(value, of: key)
    case "sg": block.shuffleGroups = try positive(value, of: key)
    case "a": block.expansionGroups = try ones(value, of: key)
    case "p": block.projectionGroups = try ones(value, of: key)
    case "sc": block.scales = try scales(value)
    case "f": block.multiplexingFactor = try positive(value, of: key)
    default:
      guard let activation = Activation(token: value) else {
        throw error(at: value, "unknown activation '\(value)'; use re, r6, sw or hs")
      }
      block.activation = activation
    }
  }

  /// Refuses settings that the kind of block does not have.
  private func check(_ key: String, at token: Substring) throws(NetworkError) {
    let allowed: Bool =
      switch key {
      case "l", "sg": block.kind == .mux
      case "e", "gw", "sc", "f": block.kind == .mux || block.kind == .invertedResidual
      case "a", "p": block.kind == .invertedResidual
      case "se": block.kind != .convolution
      default: true
      }
    guard allowed else {
      throw error(at: token, "a '\(block.kind.rawValue)' block has no setting '\(key)'")
    }
  }

  private func positive(_ value: Substring, of key: String) throws(NetworkError) -> Int {
    let most =
      switch key {
      // Of repeats, each is a block of its own.
      case "r": BlockSpecification.Bounds.repeats
      case "f": Limits.factor
      default: BlockSpecification.Bounds.setting
      }
    guard let number = Int(value), number > 0, number <= most, !value.hasPrefix("+") else {
      throw error(at: value, "'\(key)' takes a whole number from 1 to \(most), not '\(value)'")
    }
    return number
  }

  private func ratio(
    _ value: Substring, of key: String, in range: ClosedRange<Double>
  ) throws(NetworkError) -> Double {
    let isPlain = value.allSatisfy { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard isPlain, let number = Double(value), range.contains(number) else {
      throw error(
        at: value,
        "'\(key)' takes a number from \(range.lowerBound) to \(range.upperBound), not '\(value)'")
    }
    return number
  }

  private func kernels(_ value: Substring) throws(NetworkError) -> [Int] {
    var sizes: [Int] = []
    for part in try parts(of: value, "k") {
      let size = try positive(part, of: "k")
      guard size % 2 == 1, size <= BlockSpecification.Bounds.kernel else {
        throw error(at: part, "a kernel size is odd and at most 31, not \(size)")
      }
      sizes.append(size)
    }
    return sizes
  }

  /// The length of a list of ones, the sizes of the kernels in timm's grammar.
  private func ones(_ value: Substring, of key: String) throws(NetworkError) -> Int {
    let parts = value.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ $0 == "1" }), parts.count <= BlockSpecification.Bounds.branches else {
      throw error(at: value, "'\(key)' takes a 1 for each group, such as \(key)1.1, not '\(value)'")
    }
    return parts.count
  }

  /// The entries of a list, which are not more than the branches of a convolution.
  private func parts(of value: Substring, _ key: String) throws(NetworkError) -> [Substring] {
    let parts = value.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= BlockSpecification.Bounds.branches else {
      throw error(
        at: value, "'\(key)' takes at most \(BlockSpecification.Bounds.branches) entries")
    }
    return parts
  }

  private func scales(_ value: Substring) throws(NetworkError) -> [SpatialMultiplexing] {
    var scales: [SpatialMultiplexing] = []
    for part in try parts(of: value, "sc") {
      guard let number = Int(part), let scale = SpatialMultiplexing(rawValue: number) else {
        throw error(at: part, "a scale is -1, 0 or 1, not '\(part)'")
      }
      scales.append(scale)
    }
    return scales
  }

  private func error(at place: Substring, _ reason: String) -> NetworkError {
    let offset = text.distance(from: text.startIndex, to: place.startIndex)
    return .blockString(text: text, offset: offset, reason: reason)
  }
}
