// SPDX-License-Identifier: Apache-2.0

/// A stretch of the arena, not yet placed.
struct Storage: Hashable, Sendable {
  /// In floats.
  var size: Int
  /// The first and the last step that touch it.
  var firstStep: Int
  var lastStep: Int
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
        if offset + PlanValue.aligned(storage.size) <= offsets[rival] { break }
        offset = max(offset, offsets[rival] + PlanValue.aligned(storages[rival].size))
      }
      offsets[index] = offset
      size = max(size, offset + PlanValue.aligned(storage.size))
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
}
