// SPDX-License-Identifier: Apache-2.0
internal import MUXCore

/// How the file of a model comes into memory.
public enum ModelLoading: Sendable, Hashable {
  /// The file is mapped, and packed weights are used where they lie: a plan is made in milliseconds, and
  /// processes share the memory. The file must not be written over or cut off meanwhile; one that is
  /// replaced as a whole, by renaming, does no harm. Engines look whether it was written to before each
  /// run and say so (``RuntimeError/modelFile(path:reason:)``). A file that is cut off in the middle of
  /// a run ends the process: the system does not let it be found out.
  case mapped
  /// The file is read into memory of the process's own: whatever happens to it later does not matter.
  case copied

  func region(_ path: String) throws(FileError) -> ByteRegion {
    switch self {
    case .mapped: try ByteRegion(watching: path)
    case .copied: try ByteRegion(reading: path)
    }
  }
}
