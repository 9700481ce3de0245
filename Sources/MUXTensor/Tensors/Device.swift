// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// Where a tensor lives and its operations run.
public enum Device: Hashable, Sendable, CustomStringConvertible {
  /// The processor.
  case cpu
  /// An NVIDIA GPU, counted from 0.
  case cuda(Int)
  /// The GPU of an Apple machine.
  case mps

  /// `cpu`, `cuda:0`, `mps`.
  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    case .mps: "mps"
    }
  }

  /// The device of that name: `cpu`, `cuda` (the first), `cuda:N` or `mps`. Says nothing about
  /// whether the machine has it: see `requireAvailable()`.
  public init(name: String) throws(TorchError) {
    switch name {
    case "cpu": self = .cpu
    case "cuda": self = .cuda(0)
    case "mps": self = .mps
    default:
      guard name.hasPrefix("cuda:"), let index = Int(name.dropFirst(5)), (0..<128).contains(index)
      else { throw .unknownDevice(name) }
      self = .cuda(index)
    }
  }

  /// How many devices of this kind the process can use.
  public func count() throws(TorchError) -> Int {
    try TorchRuntime.check()
    var count: Int32 = 0
    try succeed(ct_device_count(kind, &count))
    return Int(count)
  }

  /// Throws `TorchError.deviceUnavailable` where the device cannot be used.
  public func requireAvailable() throws(TorchError) {
    let count = try count()
    guard index < count else { throw .deviceUnavailable(description, count: count) }
  }

  /// The fastest device there is: a GPU if any, else the processor.
  public static func best() throws(TorchError) -> Device {
    for device in [Device.cuda(0), .mps] where try device.count() > 0 { return device }
    return .cpu
  }

  var kind: Int32 {
    switch self {
    case .cpu: Int32(CT_CPU)
    case .cuda: Int32(CT_CUDA)
    case .mps: Int32(CT_MPS)
    }
  }

  var index: Int {
    if case .cuda(let index) = self { index } else { 0 }
  }

  init(kind: Int32, index: Int32) {
    switch kind {
    case Int32(CT_CUDA): self = .cuda(Int(index))
    case Int32(CT_MPS): self = .mps
    default: self = .cpu
    }
  }
}
