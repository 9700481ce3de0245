// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Runs the body in mixed precision: convolutions and matrix products convert their inputs to the
/// short type, sums and losses stay in single precision.
///
/// The mode belongs to the thread, so the body cannot suspend. Leave the scope before `backward`.
///
/// - Parameters:
///   - device: the device whose operations are meant.
///   - dtype: the short type; nil runs the body as it is.
///   - body: what runs in the scope.
public func withAutocast<Result>(
  _ device: Device, _ dtype: DType? = .bfloat16, _ body: () throws -> Result
) throws -> Result {
  guard let dtype else { return try body() }
  var enabled = false
  var before: Int32 = 0
  try succeed(ct_autocast(device.kind, &enabled, &before))
  try succeed(ct_set_autocast(device.kind, true, dtype.rawValue))
  let outcome = Swift.Result { try body() }
  try succeed(ct_set_autocast(device.kind, enabled, before))
  // Weights converted inside are cached until the outermost scope ends.
  if !enabled { try succeed(ct_clear_autocast_cache()) }
  return try outcome.get()
}
