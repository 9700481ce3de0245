// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXSearch
import Testing

@Suite struct NetworkSpaceTests {
  @Test("MUXNet-m and -l encode and decode to themselves", arguments: ["muxnet_m", "muxnet_l"])
  func releasedNetworks(_ name: String) throws {
    let domain = NetworkDomain(try .named("imagenet"))
    let original = try ModelZoo.architecture(named: name)
    let genome = try domain.encode(original)
    let decoded = try domain.architecture(genome, name: name)
    #expect(decoded == original)
    #expect(try decoded.network() == original.network())
    #expect(domain.canonical(genome) == genome)
  }

  @Test(
    "MUXNet-xs and -s are points of the space, with the same blocks and costs",
    arguments: ["muxnet_xs", "muxnet_s"])
  func ownNetworks(_ name: String) throws {
    // Their definitions fix the head's width, which at multiplier 1 is no difference.
    var space = try NetworkSpace.named("imagenet")
    space.headWidth = .fixed
    let domain = NetworkDomain(space)
    let original = try ModelZoo.architecture(named: name)
    let genome = try domain.encode(original)
    let report = try CostReport(original.network())
    let costs = try #require(domain.costs(of: genome))
    #expect(costs.parameters == report.parameters)
    #expect(costs.multiplyAdds == report.multiplyAdds)
  }

  @Test("A network that is not a point of the space is refused by what does not fit")
  func strangers() throws {
    let domain = NetworkDomain(try .named("imagenet"))
    var wide = try ModelZoo.architecture(named: "muxnet_m")
    wide.stem.channels = 40
    #expect(
      throws: SearchError.notInSpace(
        network: "muxnet_m", reason: "'stem' is 40, not one of [16, 24, 32]")
    ) { try domain.encode(wide) }
    #expect(throws: SearchError.self) {
      try domain.encode(try ModelZoo.architecture(named: "mobilenetv2_100"))
    }
    var tens = try ModelZoo.architecture(named: "muxnet_m")
    tens.classes = 10
    #expect(throws: SearchError.self) { try domain.encode(tens) }
  }

  @Test(
    "Random genomes of every shipped space build, and encode to their canonical form",
    arguments: NetworkSpace.shipped)
  func randomNetworks(_ name: String) throws {
    let domain = NetworkDomain(try .named(name))
    var random = SearchRandom(seed: 1, purpose: name)
    for _ in 0..<40 {
      let genome = Genome(domain.genes.map { random.below($0.choices) })
      let canonical = try #require(domain.canonical(genome))
      #expect(domain.canonical(canonical) == canonical)
      let architecture = try domain.architecture(genome)
      #expect(try domain.encode(architecture) == canonical)
      let report = try CostReport(architecture.network())
      #expect(domain.costs(of: canonical)?.parameters == report.parameters)
      let known = try #require(domain.knownObjectives(of: canonical))
      #expect(known[0].isNaN)
      #expect(known[2] == Double(report.multiplyAdds))
    }
  }

  @Test("Channels that would not divide are repaired by the nearest expansion")
  func repair() throws {
    // 8 channels, half left out, expansion 1 gives 4: too few for the scales -1.0.0.1, whose
    // superpixel slice needs a multiple of 4 channels, so 16. Expansion 4 gives 16.
    let space = try NetworkSpace.parse(
      """
      name: t
      inputSize: 8
      classes: 2
      stem: [8]
      stages:
        - {name: a, stride: 1, width: [8], expansion: [1, 2, 4], repeats: [0, 1],
           multiplexing: [none, "-1.0.0.1"]}
      head: [0]
      """, path: "t.yaml")
    let domain = NetworkDomain(space)
    // Genes: stem; width, kernels, expansion of the reduction; repeats, kernel, expansion, leave-out,
    // multiplexing; head.
    #expect(domain.canonical([0, 0, 0, 0, 1, 0, 0, 0, 1, 0]) == [0, 0, 0, 0, 1, 0, 2, 0, 1, 0])
    // Without normal blocks their genes mean nothing.
    #expect(domain.canonical([0, 0, 0, 0, 0, 0, 2, 0, 1, 0]) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    let keys = Set(
      (0..<12).compactMap { domain.canonical(domain.genome(at: $0)) }.map { domain.key(of: $0) })
    // One network without normal blocks; expansions 1, 2, 4 without and 4 with multiplexing.
    #expect(keys.count == 5)
  }

  @Test("Networks over a limit have no canonical form")
  func limits() throws {
    var space = try NetworkSpace.named("imagenet")
    let m = try NetworkDomain(space).encode(try ModelZoo.architecture(named: "muxnet_m"))
    space.constraints.maximumParameters = 3_354_276
    #expect(NetworkDomain(space).canonical(m) == m)
    space.constraints.maximumParameters = 3_354_275
    #expect(NetworkDomain(space).canonical(m) == nil)
    space.constraints = .init(maximumMultiplyAdds: 216_808_111)
    #expect(NetworkDomain(space).canonical(m) == nil)
    // A search asks only for networks within the limits.
    space.constraints = .init(maximumParameters: 3_000_000)
    let domain = NetworkDomain(space)
    var search = RandomSearch(try domain.problem(), seed: 1)
    let asked = search.ask(5)
    #expect(asked.count == 5)
    for candidate in asked {
      #expect(try #require(domain.costs(of: candidate.genome)).parameters <= 3_000_000)
    }
  }

  @Test("Scales are the largest values that targets name; targets out of reach are reported")
  func targets() throws {
    let domain = NetworkDomain(try .named("imagenet"))
    let problem = try domain.problem(targets: ReferenceTarget.paper)
    #expect(problem.objectives.map(\.name) == ["error", "params", "madds"])
    #expect(problem.objectives[1].scale == 5e6)
    #expect(problem.objectives[2].scale == 300e6)
    let range = domain.reach(of: .params)
    #expect(range.contains(1_798_748))
    #expect(range.contains(4_041_178))
    let lines = domain.warnings(for: [
      ReferenceTarget("tiny", ["params": 1000]), ReferenceTarget("m", ["params": 3.4e6]),
    ])
    #expect(lines.count == 1)
    #expect(lines[0].contains("'tiny'"))
    #expect(lines[0].contains("\(Int(range.lowerBound))...\(Int(range.upperBound))"))
  }

  @Test("Spaces are written to YAML and read back", arguments: NetworkSpace.shipped)
  func yaml(_ name: String) throws {
    let space = try NetworkSpace.named(name)
    let text = try space.yaml()
    #expect(try NetworkSpace.parse(text, path: "copy") == space)
  }

  @Test(
    "Unknown keys, empty choices and impossible settings are named with the file",
    arguments: [
      ("kernal: [3]", "kernal"), ("kernel: []", "kernel"), ("kernel: [4]", "odd"),
      ("width: [7]", "even"), ("multiplexing: [\"2\"]", "scales"), ("leaveOut: [1]", "leaveOut"),
      ("activation: gelu", "gelu"), ("repeats: [-1]", "repeats"),
      ("reductionKernels: [\"3.4\"]", "3.4"),
    ])
  func badFiles(_ line: String, _ word: String) throws {
    let key = line.split(separator: ":")[0]
    let stage = ["name: a", "stride: 1", "width: [8]", "repeats: [1]"].filter {
      !$0.hasPrefix("\(key):")
    }
    let text = """
      name: t
      inputSize: 8
      classes: 2
      stem: [8]
      head: [0]
      stages:
        - {\((stage + [line]).joined(separator: ", "))}
      """
    let error = try #require(throws: SearchError.self) {
      try NetworkSpace.parse(text, path: "bad.yaml")
    }
    #expect("\(error)".contains(word))
    #expect("\(error)".contains("bad.yaml"))
  }

  @Test("A space that is not there is an error with the names that are")
  func unknownSpace() throws {
    let error = try #require(throws: SearchError.self) { try NetworkSpace.resolve("mobile") }
    #expect("\(error)".contains("imagenet, small, digits"))
    let missing = try #require(throws: SearchError.self) { try NetworkSpace.resolve("no.yaml") }
    #expect("\(missing)".contains("there is no such file"))
  }
}
