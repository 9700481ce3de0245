// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Memory for the kernels' pointers. It ends where an unmapped page begins: a kernel that reads or
/// writes beyond the end stops the test run.
final class Buffer<Element> {
  let pointer: UnsafeMutablePointer<Element>
  let count: Int
  private let region: UnsafeMutableRawBufferPointer

  init(_ count: Int, repeating value: Element) {
    self.count = count
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let bytes = max(count, 1) * MemoryLayout<Element>.stride
    let pages = (bytes + page - 1) / page * page
    let mapped = mmap(
      nil, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { preconditionFailure("out of memory") }
    region = UnsafeMutableRawBufferPointer(start: mapped, count: pages + page)
    precondition(mprotect(mapped + pages, page, PROT_NONE) == 0)
    pointer = (mapped + pages - bytes).bindMemory(to: Element.self, capacity: max(count, 1))
    pointer.initialize(repeating: value, count: max(count, 1))
  }

  convenience init(_ elements: [Element]) where Element: FloatingPoint {
    self.init(elements.count, repeating: 0)
    for (index, element) in elements.enumerated() { pointer[index] = element }
  }

  deinit { Quarantine.shared.add(region) }

  var array: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// Memory of buffers that are gone, given back only thousands of buffers later: Swift may release
/// an object as soon as its pointer has been read for the last time, before the kernel runs.
private final class Quarantine: @unchecked Sendable {
  static let shared = Quarantine()

  private let lock = NSLock()
  private var regions: [UnsafeMutableRawBufferPointer] = []
  private let limit = 8192

  func add(_ region: UnsafeMutableRawBufferPointer) {
    lock.withLock {
      regions.append(region)
      guard regions.count > limit else { return }
      for old in regions.prefix(limit / 2) { munmap(old.baseAddress, old.count) }
      regions.removeFirst(limit / 2)
    }
  }
}
