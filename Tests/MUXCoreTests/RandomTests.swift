// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import Testing

@Suite("Random numbers") struct RandomTests {
  @Test(
    "The generator is xoshiro256**: the first numbers that its authors' code gives from 1, 2, 3, 4")
  func reference() {
    var generator = Xoshiro256(1, 2, 3, 4)
    #expect(
      (0..<10).map { _ in generator.next() } == [
        11520, 0, 1_509_978_240, 1_215_971_899_390_074_240, 1_216_172_134_540_287_360,
        607_988_272_756_665_600, 16_172_922_978_634_559_625, 8_476_171_486_693_032_832,
        10_595_114_339_597_558_777, 2_904_607_092_377_533_576,
      ])
  }

  @Test("SplitMix64 gives the numbers that public code gives from 1,234,567")
  func splitMix() {
    var generator = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<5).map { _ in generator.next() } == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test("Streams of seed, purpose and indices do not change from version to version")
  func streams() {
    var stream = RandomStream(seed: 7, purpose: .augmentation, indices: 3, 17)
    #expect(
      (0..<3).map { _ in stream.next() } == [
        14_410_091_791_666_246_543, 1_223_700_402_323_521_999, 11_304_263_552_073_242_578,
      ])
  }

  @Test("A saved stream goes on where it was; its state has the names that it always had")
  func saving() throws {
    var stream = RandomStream(seed: 1, purpose: .mixing)
    _ = stream.next()
    let data = try JSONEncoder().encode(stream)
    let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(Set(object.keys) == ["s0", "s1", "s2", "s3"])
    var restored = try JSONDecoder().decode(RandomStream.self, from: data)
    #expect((0..<5).map { _ in stream.next() } == (0..<5).map { _ in restored.next() })
  }
}
