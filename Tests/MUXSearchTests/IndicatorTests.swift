// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

@Suite struct IndicatorTests {
  @Test("Hypervolume of two rectangles that overlap")
  func areaByHand() {
    // Boxes from (1, 2) and (2, 1) to (3, 3): 2 + 2 − 1. (2.5, 2.5) and (4, 0) add nothing.
    let points = [[1.0, 2], [2, 1], [2.5, 2.5], [4, 0], [1, 2]]
    #expect(Indicators.hypervolume(points, reference: [3, 3]) == 3)
    #expect(Indicators.hypervolume([], reference: [3, 3]) == 0)
  }

  @Test("Hypervolume in three and four objectives, as another library has it")
  func volumes() {
    let three = [
      [0.1, 0.9, 0.5], [0.5, 0.5, 0.5], [0.9, 0.1, 0.4], [0.3, 0.7, 0.2], [0.6, 0.6, 0.6],
    ]
    #expect(abs(Indicators.hypervolume(three, reference: [1, 1, 1]) - 0.254) < 1e-12)
    let four = [
      [0.1, 0.9, 0.5, 0.3], [0.5, 0.5, 0.5, 0.5], [0.9, 0.1, 0.4, 0.6], [0.3, 0.7, 0.2, 0.8],
      [0.2, 0.2, 0.9, 0.9],
    ]
    #expect(abs(Indicators.hypervolume(four, reference: [1, 1, 1, 1]) - 0.112) < 1e-12)
  }

  @Test("Hypervolume agrees with counting of grid cells")
  func volumeByCounting() {
    var random = SearchRandom(seed: 5, purpose: "volume")
    for _ in 0..<20 {
      let points = (0..<8).map { _ in (0..<3).map { _ in Double(random.below(6)) } }
      var cells = 0
      for cell in 0..<216 {
        let corner = [cell / 36, cell / 6 % 6, cell % 6].map(Double.init)
        if points.contains(where: { zip($0, corner).allSatisfy { $0 <= $1 } }) { cells += 1 }
      }
      let volume = Indicators.hypervolume(points, reference: [6, 6, 6])
      #expect(abs(volume - Double(cells)) < 1e-9)
    }
  }

  @Test("Fronts agree with the definition on random points with ties")
  func fronts() {
    var random = SearchRandom(seed: 3, purpose: "fronts")
    for _ in 0..<20 {
      let points = (0..<60).map { _ in (0..<3).map { _ in Double(random.below(5)) } }
      var left = Set(points.indices)
      for front in NonDominatedSorting.fronts(points) {
        let expected = left.filter { index in
          !left.contains { NonDominatedSorting.dominates(points[$0], points[index]) }
        }
        #expect(Set(front) == expected)
        left.subtract(front)
      }
      #expect(left.isEmpty)
      #expect(Set(NonDominatedSorting.front(points)) == Set(NonDominatedSorting.fronts(points)[0]))
    }
  }

  @Test("Crowding is infinite at the ends and the sum of relative gaps between")
  func crowding() {
    let values = NonDominatedSorting.crowding([[0, 10], [2, 5], [10, 0]])
    #expect(values[0] == .infinity)
    #expect(values[2] == .infinity)
    #expect(values[1] == 2)
  }
}
