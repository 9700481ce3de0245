// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXCore
internal import Synchronization

/// Looks whether a mapped file of packed weights is still what it was when it was opened.
final class ModelWatch: Sendable {
  private let file: ByteRegion
  private let weights: Range<Int>
  private let checksum: UInt64
  private let path: String
  /// When it was last found to be sound; nil if it is not watched.
  private let stamp: Mutex<FileStamp?>

  init(_ file: ByteRegion, weights: Range<Int>, checksum: UInt64, path: String) {
    self.file = file
    self.weights = weights
    self.checksum = checksum
    self.path = path
    stamp = Mutex(file.fileStamp)
  }

  /// Refuses a file that is shorter than it was, or whose weights are others. A file that was only
  /// touched is all right.
  func check() throws(RuntimeError) {
    guard let now = file.fileStamp else { return }
    let isSound = stamp.withLock { stamp in
      guard stamp != now else { return true }
      guard now.size >= file.count else { return false }
      let isSame = file.withUnsafeBytes { bytes in
        let data = UnsafeRawBufferPointer(rebasing: bytes[weights])
        return mux_checksum(data.baseAddress, data.count, 0) == checksum
      }
      if isSame { stamp = now }
      return isSame
    }
    guard isSound else {
      throw .modelFile(
        path: path,
        reason:
          "it was written over or cut off while it was in use; open it again, and replace files"
          + " as a whole or copy them into memory")
    }
  }
}
