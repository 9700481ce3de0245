// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels

/// Weights in the order in which a kernel reads them: made a moment ago, or lying in a file.
enum PackedArray<Value: BitwiseCopyable> {
  case made([Value])
  /// Memory of a mapped file that the plan keeps alive.
  case mapped(UnsafeBufferPointer<Value>)

  var isEmpty: Bool {
    switch self {
    case .made(let values): values.isEmpty
    case .mapped(let values): values.isEmpty
    }
  }

  /// Calls something with the values where they are.
  func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<Value>) -> Result
  ) -> Result {
    switch self {
    case .made(let values): values.withUnsafeBufferPointer(body)
    case .mapped(let values): body(values)
    }
  }

  /// The values, copied.
  var array: [Value] {
    switch self {
    case .made(let values): values
    case .mapped(let values): Array(values)
    }
  }
}

/// Packed weights in single precision.
typealias PackedValues = PackedArray<Float>

/// Where the compiler has its packed weights from.
///
/// The compiler asks for them one after the other, in an order that follows from the network and the
/// kernels alone. With a network's own tensors they are packed when asked for (and kept for the
/// writer of a packed file, if there is one); with a packed file they are taken from it.
final class PackedWeightSource {
  /// One stretch of packed weights.
  struct Entry {
    /// Says what it is: layer, use, lanes and count.
    var key: UInt64
    var bytes: [UInt8]
  }

  /// One stretch as a plan that is only shown names it.
  struct Listed: Sendable {
    var use: String
    var count: Int
  }

  private enum Origin {
    case tensors(isRecording: Bool)
    case file(PackedWeights)
    case nowhere
  }

  private let origin: Origin
  private var next = 0
  /// What was asked for, if weights are only listed.
  private(set) var listed: [Listed] = []
  /// What was packed, if that is recorded.
  private(set) var entries: [Entry] = []
  /// The first layer whose weights the file has not, or not so.
  private(set) var misfit: String?
  /// The first weights that were packed and are not finite: of which layer, and what to it.
  private(set) var overflow: (layer: String, use: String)?
  /// The channels whose weights are not 0 and were packed as 0, by layer and use.
  private(set) var vanished: [(layer: String, use: String, channels: Int)] = []

  init(isRecording: Bool = false) { origin = .tensors(isRecording: isRecording) }

  /// Weights that lie in a file.
  init(_ file: PackedWeights) { origin = .file(file) }

  private init(_ origin: Origin) { self.origin = origin }

  /// No weights: those asked for are listed, for a plan that is shown and not run.
  static func listing() -> PackedWeightSource { PackedWeightSource(.nowhere) }

  /// Whether weights are only listed.
  var isListing: Bool { if case .nowhere = origin { true } else { false } }

  /// Whether all of a file was asked for.
  var isExhausted: Bool { if case .file(let file) = origin { next == file.count } else { true } }

  /// The next packed weights.
  ///
  /// - Parameters:
  ///   - layer: The layer's name.
  ///   - use: What they are to the layer; another order in memory must have another name.
  ///   - lanes: The lanes of a vector.
  ///   - count: How many numbers there must be.
  ///   - pack: Makes them from the network's tensors.
  func take<Value: BitwiseCopyable>(
    _ layer: String, _ use: String, lanes: Int, count: Int, _ pack: () -> [Value]
  ) -> PackedArray<Value> {
    let key = Self.key(layer, use, lanes: lanes, count: count)
    let file: PackedWeights
    switch origin {
    case .file(let own): file = own
    case .nowhere:
      listed.append(Listed(use: use, count: count))
      return .made([])
    case .tensors(let isRecording):
      let values = pack()
      if !Self.isFinite(values) { noteOverflow(layer, use) }
      if isRecording {
        entries.append(Entry(key: key, bytes: values.withUnsafeBytes { Array($0) }))
      }
      return .made(values)
    }
    defer { next += 1 }
    if misfit == nil, let values = file.values(at: next, key: key, count: count, of: Value.self) {
      return .mapped(values)
    }
    // The compiler goes on with nothing, and its caller throws what it made away.
    misfit = misfit ?? layer
    return .made([])
  }

  /// Notes that weights which were packed a moment ago are beyond what they are packed as.
  func noteOverflow(_ layer: String, _ use: String) { overflow = overflow ?? (layer, use) }

  /// Notes channels that packing has made 0.
  func noteVanished(_ layer: String, _ use: String, channels: Int) {
    if channels > 0 { vanished.append((layer, use, channels)) }
  }

  /// Whether all numbers are finite; cells are checked when they are made.
  private static func isFinite<Value>(_ values: [Value]) -> Bool {
    switch values {
    case let values as [Float]:
      // One more in the lowest bit of a full exponent carries into the sign's place.
      values.reduce(into: UInt32(0)) { $0 |= ($1.bitPattern & 0x7f80_0000) &+ 0x0080_0000 } >> 31
        == 0
    case let values as [UInt16]: values.allSatisfy { $0 & 0x7f80 != 0x7f80 }
    default: true
    }
  }

  private static func key(_ layer: String, _ use: String, lanes: Int, count: Int) -> UInt64 {
    var text = "\(layer)|\(use)|\(lanes)|\(count)"
    return text.withUTF8 { mux_checksum($0.baseAddress, $0.count, 0) }
  }
}

extension PlanMemory {
  /// Packed weights at an address: a copy of those just made, those of a file where they are.
  func place<Value>(_ values: PackedArray<Value>) -> UnsafePointer<Value> {
    switch values {
    case .made(let values): return copy(values)
    case .mapped(let values):
      // Guarded plans want an untouchable page behind each stretch, so they get copies.
      guard !isGuarded, let start = values.baseAddress else { return copy(Array(values)) }
      return start
    }
  }
}
