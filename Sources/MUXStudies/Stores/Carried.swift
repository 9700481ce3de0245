// SPDX-License-Identifier: Apache-2.0

/// Carries the result of a transaction out of a lock; it is made and used by one thread.
struct Carried<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}
