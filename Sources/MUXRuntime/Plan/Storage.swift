// SPDX-License-Identifier: Apache-2.0

/// A stretch of the arena, not yet placed.
struct Storage {
  /// In floats.
  var size: Int
  /// The first and the last step that touch it.
  var firstStep: Int
  var lastStep: Int
}

/// The start of one channel's plane: where in which storage.
struct Plane: Hashable {
  var storage: Int
  var offset: Int
}

/// The value of a node: a plane per channel. Slices, concatenations and shuffles of channels are
/// other lists of the same planes.
struct PlaneTensor {
  var planes: [Plane]
  var height: Int
  var width: Int

  var pixels: Int { height * width }
}

/// Where the storages lie: those that live at the same time do not overlap.
struct MemoryPlan {
  private(set) var offsets: [Int]
  private(set) var size = 0

  /// Places the largest first, each at the lowest offset that is free while it lives.
  init(_ storages: [Storage]) {
    offsets = Array(repeating: 0, count: storages.count)
    var placed: [Int] = []
    for index in storages.indices.sorted(by: {
      (-storages[$0].size, $0) < (-storages[$1].size, $1)
    }) {
      let storage = storages[index]
      let rivals = placed.filter {
        storages[$0].firstStep <= storage.lastStep && storage.firstStep <= storages[$0].lastStep
      }.sorted { offsets[$0] < offsets[$1] }
      var offset = 0
      for rival in rivals {
        if offset + Self.aligned(storage.size) <= offsets[rival] { break }
        offset = max(offset, offsets[rival] + Self.aligned(storages[rival].size))
      }
      offsets[index] = offset
      size = max(size, offset + Self.aligned(storage.size))
      placed.append(index)
    }
  }

  /// Gives each storage pages of its own, so that it ends where `guardSize` bytes begin that may
  /// not be touched: for tests that look for accesses out of bounds.
  init(guarded storages: [Storage], pageSize: Int) {
    offsets = []
    let page = pageSize / 4
    for storage in storages {
      let pages = (storage.size + page - 1) / page
      offsets.append(size + pages * page - storage.size)
      size += (pages + 1) * page
    }
  }

  /// Whole cache lines.
  static func aligned(_ size: Int) -> Int { (size + 15) / 16 * 16 }
}
