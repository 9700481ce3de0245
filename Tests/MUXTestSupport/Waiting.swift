// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Waits for a condition, at most two minutes; whether it came.
public func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<2400 {
    if try condition() { return true }
    usleep(50_000)
  }
  return false
}
