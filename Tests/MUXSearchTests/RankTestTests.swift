// SPDX-License-Identifier: Apache-2.0
import MUXSearch
import Testing

@Suite struct RankTestTests {
  private let first = [1.1, 2.3, 3.1, 4.7, 5.2, 6.0, 7.5, 8.8]
  private let second = [2.3, 4.7, 6.5, 7.7, 8.8, 9.9, 10.1, 3.3]

  @Test("The rank-sum test has the p of SciPy's mannwhitneyu, ties included")
  func rankSum() {
    #expect(abs(RankTests.rankSum(first, second) - 0.20657434641527617) < 1e-12)
    #expect(RankTests.rankSum(first, second) == RankTests.rankSum(second, first))
    #expect(RankTests.rankSum([2, 2], [2, 2]) == 1)
    #expect(RankTests.rankSum([], [1]) == 1)
  }

  @Test("The signed-rank test has the p of SciPy's wilcoxon, and leaves out equal pairs")
  func signedRank() {
    #expect(abs(RankTests.signedRank(first, second) - 0.18343061898217827) < 1e-12)
    #expect(
      RankTests.signedRank(first + [4], second + [4]) == RankTests.signedRank(first, second))
    #expect(RankTests.signedRank(first, first) == 1)
  }
}
