// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Memory that lives as long as its owner: plain, or with an unmapped page right after each
/// allocation, for tests that look for accesses out of bounds.
final class PlanMemory {
  private var blocks: [UnsafeMutableRawBufferPointer] = []
  /// The blocks that hold structures, whose fields may be addresses of others.
  private var structures: Set<UnsafeMutableRawPointer> = []
  private var mappings: [UnsafeMutableRawBufferPointer] = []
  let isGuarded: Bool
  private(set) var byteCount = 0

  init(isGuarded: Bool) {
    self.isGuarded = isGuarded
  }

  static var pageSize: Int { Int(getpagesize()) }

  /// Uninitialised memory for `count` values.
  func allocate<Value: BitwiseCopyable>(_ type: Value.Type, _ count: Int)
    -> UnsafeMutablePointer<Value>
  {
    let bytes = max(count, 1) * MemoryLayout<Value>.stride
    byteCount += bytes
    if isGuarded, let end = map(bytes) {
      return (end - bytes).bindMemory(to: type, capacity: count)
    }
    return block(type, bytes: bytes).bindMemory(to: type, capacity: count)
  }

  func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafePointer<Value> {
    let memory = allocate(Value.self, values.count)
    values.withUnsafeBufferPointer {
      if let base = $0.baseAddress { memory.update(from: base, count: values.count) }
    }
    return UnsafePointer(memory)
  }

  func copy<Value: BitwiseCopyable>(_ value: Value) -> UnsafeRawPointer {
    let block = block(Value.self, bytes: MemoryLayout<Value>.stride)
    block.bindMemory(to: Value.self, capacity: 1).initialize(to: value)
    return UnsafeRawPointer(block)
  }

  private func block<Value>(_ type: Value.Type, bytes: Int) -> UnsafeMutableRawPointer {
    let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    blocks.append(UnsafeMutableRawBufferPointer(start: block, count: bytes))
    if !(type is any Numeric.Type) { structures.insert(block) }
    return block
  }

  /// The memory of a plan that is not guarded, block by block, and whether a block may hold addresses.
  func forEachBlock(_ body: (UnsafeRawBufferPointer, _ mayHoldAddresses: Bool) -> Void) {
    for block in blocks {
      body(
        UnsafeRawBufferPointer(block), block.baseAddress.map(structures.contains) ?? false)
    }
  }

  /// Makes pages untouchable, from `offset` bytes after `start` on.
  static func protect(_ start: UnsafeMutableRawPointer, offset: Int, count: Int) {
    mprotect(start + offset, count, PROT_NONE)
  }

  /// Maps fresh zeroed pages with an untouchable one at the end; gives the end of what is usable.
  private func map(_ bytes: Int) -> UnsafeMutableRawPointer? {
    let page = Self.pageSize
    let usable = (bytes + page - 1) / page * page
    let address = mmap(
      nil, usable + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | Self.anonymous, -1, 0)
    guard let address, address != MAP_FAILED else { return nil }
    mappings.append(UnsafeMutableRawBufferPointer(start: address, count: usable + page))
    Self.protect(address, offset: usable, count: page)
    return address + usable
  }

  #if canImport(Darwin)
    private static let anonymous = MAP_ANON
  #else
    private static let anonymous = MAP_ANONYMOUS
  #endif

  deinit {
    for block in blocks { block.deallocate() }
    for mapping in mappings { munmap(mapping.baseAddress, mapping.count) }
  }
}
