// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Processes that work together, seen from one of them.
///
/// All operations but those with keys are collective: each process calls the same ones in the same order,
/// with tensors of the same shape. They end when every process has called them, or throw
/// ``ProcessGroupError/lost(rank:size:during:reason:)`` where one has ended or does not answer in time;
/// after that the group is of no use any more. A group belongs to one thread.
///
/// With ``single``, a process that works alone, they do nothing and cost nothing.
public final class ProcessGroup {
  /// The number of this process, from 0.
  public let rank: Int
  /// The number of processes.
  public let size: Int
  /// What this process does, in words, for errors: "in step 7".
  public var activity = "at the start"

  private let place: ProcessPlace?
  private let timeout: Double
  /// What the store has in the place of what a process would say, where that will not train.
  private static let refusal = "\u{3}"
  let handle: ct_group?
  private var isConnected = false

  /// A process that works alone.
  public static var single: ProcessGroup { ProcessGroup() }

  private init() {
    rank = 0
    size = 1
    place = nil
    timeout = 0
    handle = nil
  }

  /// Finds the store of keys. The others are found by ``connect()``, after it is clear by
  /// ``agree(on:)`` that all want the same.
  ///
  /// - Parameters:
  ///   - place: Where this process stands.
  ///   - timeout: Seconds to wait for the others, in all operations.
  ///   - interface: The network interface of this process's connections, such as `eth0`, or several with
  ///     commas between them, of which the first that this machine has is used; nil for that which leads to
  ///     the store.
  /// - Throws: ``ProcessGroupError/unreachable(rank:size:host:port:reason:)`` where the store cannot be
  ///   reached, ``ProcessGroupError/noInterface(_:existing:)`` where this machine has none of the interfaces.
  public init(
    _ place: ProcessPlace, timeout: Double = 300, interface: String? = nil
  ) throws {
    let interface = try interface.flatMap { $0.isEmpty ? nil : try NetworkInterfaces.first(of: $0) }
    try TorchRuntime.check()
    self.place = place
    self.timeout = timeout
    rank = place.rank
    size = place.size
    var group: ct_group?
    let text = place.host.withCString { host in
      "muxnet/\(place.restarts)/".withCString { prefix in
        Self.withText(interface) { interface in
          var given = ct_group_place()
          given.host = host
          given.port = Int32(place.port)
          given.serves = !place.launcherServes && place.rank == 0
          given.rank = Int32(place.rank)
          given.size = Int32(place.size)
          given.prefix = prefix
          given.interface_name = interface
          given.is_local = place.isLocal
          given.timeout_milliseconds = Int64(timeout * 1000)
          return ct_group_join(&given, &group)
        }
      }
    }
    handle = group
    try reaching(text)
  }

  deinit { ct_group_release(handle) }

  /// The number of this process among those of its machine, from 0.
  public var localRank: Int { place?.localRank ?? 0 }
  /// How many processes of the group are on this machine.
  public var localSize: Int { place?.localSize ?? 1 }
  /// What is the same in all attempts of a launch and in no other; nil where there is no such thing.
  public var launch: String? { place?.launch }
  /// How often the launcher has started all processes anew.
  public var restarts: Int { place?.restarts ?? 0 }

  /// Whether this process is the one that writes files and speaks to people.
  public var isFirst: Bool { rank == 0 }

  /// Connects to all others.
  ///
  /// - Throws: ``ProcessGroupError/unreachable(rank:size:host:port:reason:)``.
  public func connect() throws(ProcessGroupError) {
    guard handle != nil, !isConnected else { return }
    try reaching(ct_group_connect(handle))
    isConnected = true
  }

  /// Whether the store of keys ends with this process.
  private var servesStore: Bool { place.map { !$0.launcherServes && $0.rank == 0 } ?? false }

  /// Tells all others that this process will not train, and why: they throw
  /// ``ProcessGroupError/refused(rank:size:reason:)`` where they would wait for it in ``agree(on:)`` or
  /// ``tell(_:_:)``. Does nothing after ``connect()``: from then on they notice its end.
  ///
  /// Whoever serves the store stays until all others know it, or for some seconds; not longer than they would
  /// wait.
  ///
  /// - Parameters:
  ///   - reason: A line, which is shown in all of them.
  ///   - seconds: How long it stays at most.
  public func refuse(_ reason: String, staying seconds: Double = 60) {
    guard handle != nil, !isConnected else { return }
    // Whom this does not reach finds out by the store's end.
    do throws(ProcessGroupError) {
      let text = Array((Self.refusal + reason).utf8)
      try set("facts/\(rank)", text)
      if isFirst { try set("told/run", text) }
      try leaveTogether(within: seconds)
    } catch {}
  }

  /// What another process says by a key.
  ///
  /// - Throws: ``ProcessGroupError/refused(rank:size:reason:)`` where it says that it will not train.
  private func word(_ key: String, of other: Int) throws(ProcessGroupError) -> String {
    let text = String(decoding: try value(of: key), as: UTF8.self)
    guard text.hasPrefix(Self.refusal) else { return text }
    // What there is to say is said, also where others cannot be told any more.
    do throws(ProcessGroupError) { try leaveTogether(within: 60) } catch {}
    throw .refused(
      rank: other, size: size, reason: String(text.dropFirst(Self.refusal.count)))
  }

  /// Compares facts with all others before anything is done together.
  ///
  /// - Parameter facts: What must be the same everywhere, with what it is called in errors.
  /// - Throws: ``ProcessGroupError/differs(rank:what:value:first:)``, in all processes the same one, for
  ///   the first process that has something else than process 0;
  ///   ``ProcessGroupError/refused(rank:size:reason:)`` where one will not train.
  public func agree(on facts: [(what: String, value: String)]) throws(ProcessGroupError) {
    guard handle != nil else { return }
    let own = facts.map { "\($0.what)\u{1}\($0.value)" }.joined(separator: "\u{2}")
    try set("facts/\(rank)", Array(own.utf8))
    var first: [String] = []
    for other in 0..<size {
      let text = try word("facts/\(other)", of: other)
      let theirs = text.split(separator: "\u{2}", omittingEmptySubsequences: false).map(String.init)
      if other == 0 { first = theirs }
      for index in 0..<max(first.count, theirs.count) {
        let (a, b) = (
          index < first.count ? first[index] : "\u{1}",
          index < theirs.count ? theirs[index] : "\u{1}"
        )
        guard a != b else { continue }
        func parts(_ text: String) -> [String] {
          text.split(separator: "\u{1}", maxSplits: 1, omittingEmptySubsequences: false)
            .map(String.init)
        }
        let (mine, other0) = (parts(b), parts(a))
        // All are told before anyone leaves, above all whoever serves the store.
        try leaveTogether(within: timeout)
        throw .differs(
          rank: other, what: mine[0].isEmpty ? other0[0] : mine[0], value: mine.last ?? "",
          first: other0.last ?? "")
      }
    }
  }

  /// Says that this process needs nothing more of the store; whoever serves it waits until all have said so.
  private func leaveTogether(within seconds: Double) throws(ProcessGroupError) {
    try set("leaves/\(rank)", [1])
    guard servesStore else { return }
    let end = ContinuousClock.now + .seconds(min(seconds, timeout))
    for other in 0..<size {
      let left: Double = (end - ContinuousClock.now) / Duration.seconds(1)
      _ = try value(of: "leaves/\(other)", within: max(left, 0.001))
    }
  }

  /// What the first process says, told to all by the store; possible before ``connect()``.
  ///
  /// - Parameters:
  ///   - key: What it is about; each once.
  ///   - text: What the first process says; that of others is not looked at.
  public func tell(_ key: String, _ text: String) throws(ProcessGroupError) -> String {
    guard handle != nil else { return text }
    if isFirst { try set("told/\(key)", Array(text.utf8)) }
    return try word("told/\(key)", of: 0)
  }

  /// Writes a key of the store.
  func set(_ key: String, _ bytes: [UInt8]) throws(ProcessGroupError) {
    try reaching(ct_group_set(handle, key, bytes, Int64(bytes.count)))
  }

  /// Waits for a key of the store, as long as for all else if not said otherwise.
  func value(
    of key: String, within seconds: Double? = nil
  ) throws(ProcessGroupError) -> [UInt8] {
    var bytes: UnsafeMutablePointer<CChar>?
    var count: Int64 = 0
    let milliseconds = Int64((seconds ?? timeout) * 1000)
    try reaching(ct_group_get(handle, key, milliseconds, &bytes, &count))
    guard let bytes else { return [] }
    defer { ct_free_text(bytes) }
    return UnsafeRawBufferPointer(start: bytes, count: Int(count)).map { $0 }
  }

  // MARK: Collective operations

  /// What becomes of several values.
  public enum Reduction: Int32, Sendable {
    /// Their sum.
    case sum = 0
    /// The greatest.
    case maximum = 1
  }

  /// Replaces a contiguous tensor by what becomes of those of all processes.
  ///
  /// - Parameters:
  ///   - tensor: Of one shape in all.
  ///   - reduction: What becomes of them.
  public func allReduce(
    _ tensor: Tensor, _ reduction: Reduction = .sum
  ) throws(ProcessGroupError) {
    guard handle != nil else { return }
    try together(ct_group_all_reduce(handle, tensor.handle, reduction.rawValue))
  }

  /// Sums of numbers over all processes.
  public func sums(_ values: [Double]) throws -> [Double] {
    guard handle != nil else { return values }
    let tensor = try Tensor(values)
    try allReduce(tensor)
    return try tensor.array(of: Double.self)
  }

  /// Replaces tensors by those of one process. They travel together.
  ///
  /// - Parameters:
  ///   - tensors: Of the same shapes and types everywhere.
  ///   - root: The process.
  public func broadcast(_ tensors: [Tensor], from root: Int = 0) throws {
    guard handle != nil, !tensors.isEmpty else { return }
    try withoutGradient {
      for kind in Set(tensors.map(\.dtype)).sorted(by: { $0.rawValue < $1.rawValue }) {
        let alike = tensors.filter { $0.dtype == kind }
        let flat = try Tensor.cat(try alike.map { try $0.detach().reshape([-1]) })
        try together(ct_group_broadcast(handle, flat.handle, Int32(root)))
        guard rank != root else { continue }
        var start = 0
        for tensor in alike {
          try tensor.copyInPlace(
            from: flat.narrow(0, start: start, length: tensor.count).reshape(tensor.shape))
          start += tensor.count
        }
      }
    }
  }

  /// The bytes of one process, given to all.
  ///
  /// - Parameters:
  ///   - bytes: Of that process; what others give is not looked at.
  ///   - root: The process.
  public func broadcast(_ bytes: [UInt8], from root: Int = 0) throws -> [UInt8] {
    guard handle != nil else { return bytes }
    let count = try Tensor([Int64(bytes.count)])
    try together(ct_group_broadcast(handle, count.handle, Int32(root)))
    let length = Int(try count.item())
    guard length > 0 else { return [] }
    let tensor = try Tensor(
      rank == root ? bytes : [UInt8](repeating: 0, count: length), shape: [length])
    try together(ct_group_broadcast(handle, tensor.handle, Int32(root)))
    return try tensor.array(of: UInt8.self)
  }

  /// The bytes of all processes, in their order; each may have another number of them.
  public func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
    guard handle != nil else { return [bytes] }
    let counts = try gather(Tensor([Int64(bytes.count)])).array(of: Int64.self).map { Int($0) }
    let most = max(counts.max() ?? 0, 1)
    let padded = bytes + [UInt8](repeating: 0, count: most - bytes.count)
    let all = try gather(Tensor(padded, shape: [most])).array(of: UInt8.self)
    return counts.enumerated().map { Array(all[$0 * most..<$0 * most + $1]) }
  }

  /// The tensors of all processes, of one shape, one behind the other: [size, …].
  public func gather(_ tensor: Tensor) throws(ProcessGroupError) -> Tensor {
    var gathered: ct_tensor?
    try together(ct_group_all_gather(handle, tensor.handle, &gathered))
    guard let gathered else { return tensor }
    return Tensor(handle: gathered)
  }

  /// Waits until all have come here.
  public func barrier() throws(ProcessGroupError) {
    guard handle != nil else { return }
    try together(ct_group_barrier(handle))
  }

  // MARK: Errors

  /// Throws what a collective operation failed of.
  func together(_ text: ct_error?) throws(ProcessGroupError) {
    guard let text else { return }
    defer { ct_free_text(text) }
    throw .lost(rank: rank, size: size, during: activity, reason: Self.reason(text))
  }

  private func reaching(_ text: ct_error?) throws(ProcessGroupError) {
    guard let text else { return }
    defer { ct_free_text(text) }
    throw .unreachable(
      rank: rank, size: size, host: place?.host ?? "", port: place?.port ?? 0,
      reason: Self.reason(text))
  }

  /// What libtorch says, in its first line and without the places in its sources.
  private static func reason(_ text: ct_error) -> String {
    let line =
      String(cString: text).split(whereSeparator: \.isNewline).first.map(String.init) ?? "unknown"
    var rest = Substring(line)
    while rest.hasPrefix("["), let end = rest.firstIndex(of: "]"),
      rest[..<end].contains(".cc:") || rest[..<end].contains(".cpp:")
    {
      rest = rest[rest.index(after: end)...].drop { $0 == " " }
    }
    // Advice follows that is not for this program's users.
    if let advice = rest.firstRange(of: ". This is") { rest = rest[..<advice.lowerBound] }
    return rest.trimmingSuffix { $0 == "." || $0 == " " }
  }

  private static func withText<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
  ) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
  }
}

extension Substring {
  fileprivate func trimmingSuffix(while isDropped: (Character) -> Bool) -> String {
    var rest = self
    while let last = rest.last, isDropped(last) { rest.removeLast() }
    return String(rest)
  }
}

@available(*, unavailable)
extension ProcessGroup: Sendable {}
