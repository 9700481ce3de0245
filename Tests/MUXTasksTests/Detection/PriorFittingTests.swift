// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXTasks
import Testing

@Suite("Default boxes that are fitted to objects")
struct PriorFittingTests {
  /// Objects of a size in pixels of 300, somewhere in the image.
  private func objects(
    _ count: Int, width: Double, height: Double, spread: Double = 0.1, seed: UInt64 = 1
  ) -> [BoundingBox] {
    var random = RandomStream(seed: seed, purpose: .split)
    return (0..<count).map { _ in
      let width = width * random.uniform(1 - spread, 1 + spread) / 300
      let height = height * random.uniform(1 - spread, 1 + spread) / 300
      let left = random.uniform(0, 1 - width), top = random.uniform(0, 1 - height)
      return BoundingBox(left: left, top: top, right: left + width, bottom: top + height)
    }
  }

  private func weighted(_ groups: [[BoundingBox]]) -> [(box: BoundingBox, weight: Double)] {
    groups.flatMap { group in group.map { (box: $0, weight: 1 / Double(group.count)) } }
  }

  @Test("small, middling and large objects each get boxes of their size on the map for it")
  func sizes() {
    let groups = [
      objects(40, width: 20, height: 25), objects(400, width: 60, height: 66),
      objects(40, width: 120, height: 110), objects(40, width: 240, height: 120),
    ]
    let fitted = PriorLayout.fine300.fitted(to: weighted(groups))
    // Places and numbers of boxes stay.
    #expect(fitted.maps.map(\.size) == PriorLayout.fine300.maps.map(\.size))
    #expect(fitted.maps.map(\.step) == PriorLayout.fine300.maps.map(\.step))
    #expect(fitted.maps.map(\.boxesPerPosition) == PriorLayout.fine300.maps.map(\.boxesPerPosition))
    #expect(abs(fitted.maps[0].minimum - 22.4) < 2.5, "\(fitted.maps[0])")
    #expect(abs(fitted.maps[1].minimum - 63) < 6, "\(fitted.maps[1])")
    #expect(abs(fitted.maps[2].minimum - 115) < 12, "\(fitted.maps[2])")
    // Two to one, so one of the ratios is near it.
    #expect(fitted.maps[3].ratios.contains { abs($0 - 2) < 0.2 }, "\(fitted.maps[3])")
    // Maps without objects keep theirs.
    #expect(Array(fitted.maps[5...]) == Array(PriorLayout.fine300.maps[5...]))
    for map in fitted.maps { #expect(map.minimum <= map.maximum && map.minimum > 0) }
  }

  @Test("the overlap is at least that of the usual boxes, and small objects are reached")
  func reach() throws {
    let groups = [
      objects(60, width: 20, height: 25, seed: 3), objects(300, width: 55, height: 60, seed: 4),
    ]
    let fitted = PriorLayout.fine300.fitted(to: weighted(groups))
    for group in groups {
      let before = PriorReach(group, priors: PriorLayout.fine300.boxes.edges)
      let after = PriorReach(group, priors: fitted.boxes.edges)
      #expect(try #require(after.meanOverlap) >= #require(before.meanOverlap) - 0.01)
      #expect(after.objects == group.count)
      #expect(try #require(after.recall) > 0.9)
    }
    let usual = PriorReach(groups[0], priors: PriorLayout.mobile300.boxes.edges)
    #expect(try #require(usual.recall) < 0.1)
    // By hand: one box, of which the only default box covers half.
    let half = PriorReach(
      [BoundingBox(left: 0, top: 0, right: 1, bottom: 0.5)],
      priors: [BoundingBox(left: 0, top: 0, right: 1, bottom: 1)])
    #expect(half == PriorReach.init([], priors: []).with(objects: 1, meanOverlap: 0.5, recall: 1))
  }

  @Test(
    "classes weigh alike; nothing, and objects without area, change nothing; the same comes twice")
  func weights() {
    let rare = objects(20, width: 24, height: 24, spread: 0.02, seed: 5)
    let common = objects(2000, width: 44, height: 44, spread: 0.02, seed: 6)
    let fitted = PriorLayout.fine300.fitted(to: weighted([rare, common]))
    #expect(abs(fitted.maps[0].minimum - 24) < 3, "\(fitted.maps[0])")
    #expect(fitted == PriorLayout.fine300.fitted(to: weighted([rare, common])))
    #expect(PriorLayout.fine300.fitted(to: []) == .fine300)
    let flat = BoundingBox(left: 0.5, top: 0.5, right: 0.5, bottom: 0.9)
    #expect(PriorLayout.fine300.fitted(to: [(box: flat, weight: 1)]) == .fine300)
    #expect(PriorReach([], priors: []).recall == nil)
  }
}

extension PriorReach {
  fileprivate func with(objects: Int, meanOverlap: Double, recall: Double) -> PriorReach {
    var copy = self
    copy.objects = objects
    copy.meanOverlap = meanOverlap
    copy.recall = recall
    return copy
  }
}
