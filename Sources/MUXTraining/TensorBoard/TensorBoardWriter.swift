// SPDX-License-Identifier: Apache-2.0
import Foundation
public import MUXCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes scalars for TensorBoard.
///
/// Each writer makes a file of its own, as TensorBoard expects: a resumed run never touches the
/// file of the run before it, which may end in half a record after a crash. The new file says from
/// which step on the old values no longer count.
public final class TensorBoardWriter: Sendable {
  /// The path of the file.
  public let path: String
  private let descriptor: Int32
  private let wallTime: @Sendable () -> Double

  /// Starts a file in a folder, which is created if it is missing.
  ///
  /// - Parameters:
  ///   - directory: The folder of the run.
  ///   - resumeStep: For a resumed run, the first step that it does (again).
  ///   - wallTime: The clock, in seconds since 1970; nil takes the system's.
  public init(
    directory: String, resumeStep: Int? = nil,
    wallTime: (@Sendable () -> Double)? = nil
  ) throws(FileError) {
    let wallTime = wallTime ?? { Date().timeIntervalSince1970 }
    self.wallTime = wallTime
    try Folders.make(directory)
    // TensorBoard reads a folder's files in the order of their names.
    let existing = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    let marker = "events.out.tfevents."
    let latest = existing.filter { $0.hasPrefix(marker) }
      .compactMap { Int($0.dropFirst(marker.count).prefix { $0 != "." }) }.max()
    let time = wallTime()
    var serial = max(Int(time), latest.map { $0 + 1 } ?? 0)
    var candidate = ""
    var opened: Int32 = -1
    repeat {
      let digits = String(serial)
      let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
      candidate = "\(directory)/\(marker)\(padded).muxnet"
      opened = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0o644)
      serial += 1
    } while opened < 0 && errno == EEXIST
    path = candidate
    descriptor = opened
    guard opened >= 0 else { throw .last("create", candidate) }
    try append(EventEncoder.fileVersion(wallTime: time))
    if let resumeStep {
      try append(EventEncoder.sessionStart(step: resumeStep, wallTime: time))
    }
  }

  /// Appends scalars of one step. Each call is one record, written at once.
  public func write(_ values: [(tag: String, value: Double)], step: Int) throws(FileError) {
    try append(EventEncoder.scalars(values, step: step, wallTime: wallTime()))
  }

  /// Appends one scalar.
  public func write(_ tag: String, _ value: Double, step: Int) throws(FileError) {
    try write([(tag, value)], step: step)
  }

  private func append(_ record: [UInt8]) throws(FileError) {
    var written = 0
    while written < record.count {
      let count = record.withUnsafeBytes { bytes in
        let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
        #if canImport(Darwin)
          return Darwin.write(descriptor, rest.baseAddress, rest.count)
        #elseif canImport(Glibc)
          return Glibc.write(descriptor, rest.baseAddress, rest.count)
        #elseif canImport(Musl)
          return Musl.write(descriptor, rest.baseAddress, rest.count)
        #endif
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .last("write", path)
      }
      written += count
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
