// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXSearch
import Synchronization
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

  @Test("A tight limit is no dead end: 60 networks smaller than any of 200 random ones")
  func tightLimits() throws {
    var space = try NetworkSpace.named("small")
    let free = NetworkDomain(space)
    let least = Int(free.reach(of: .params).lowerBound)
    var random = SearchRandom(seed: 4, purpose: "limits")
    let sizes = (0..<200).compactMap { _ in
      free.costs(of: Genome(free.genes.map { random.below($0.choices) }))?.parameters
    }.sorted()
    space.constraints.maximumParameters = least * 2
    #expect(least * 2 < sizes[0])
    let domain = NetworkDomain(space)
    let cheapest = try #require(domain.cheapest)
    #expect(domain.costs(of: cheapest)?.parameters == least)
    let problem = try domain.problem()
    for name in ["moead", "guided", "random"] {
      let settings = try #require(AlgorithmSettings.named.first { $0.name == name }).settings
      var search = try settings.make(
        problem, goal: .targets([ReferenceTarget("t", ["params": Double(least)])]), seed: 1)
      var asked: [Genome] = []
      while asked.count < 60, let candidate = search.ask() {
        let costs = try #require(domain.costs(of: candidate.genome))
        #expect(costs.parameters <= least * 2)
        let objectives = [50, Double(costs.parameters), Double(costs.multiplyAdds)]
        try search.tell([Evaluation(id: candidate.id, objectives: objectives)])
        asked.append(candidate.genome)
      }
      #expect(Set(asked).count == 60, "\(name)")
    }
  }

  @Test("Limits that no network keeps are refused with the least that the space reaches")
  func impossibleLimits() throws {
    var space = try NetworkSpace.named("digits")
    let least = Int(NetworkDomain(space).reach(of: .params).lowerBound)
    space.constraints.maximumParameters = least
    _ = try NetworkDomain(space).problem()
    space.constraints.maximumParameters = least - 1
    let error = try #require(throws: SearchError.self) { _ = try NetworkDomain(space).problem() }
    #expect("\(error)".contains("the least is \(least)"))
    // Each of two limits can be kept, but the net with the fewest parameters is not the quickest one.
    space.constraints = .init(maximumLatency: 5)
    let silent = try #require(throws: SearchError.self) { _ = try NetworkDomain(space).problem() }
    #expect("\(silent)".contains("nothing measures latency"))
  }

  @Test("A limit on latency asks the measure once for each network, before it is asked for")
  func latencyLimit() throws {
    let measured = Mutex<[String: Int]>([:])
    var space = try NetworkSpace.named("digits")
    space.constraints.maximumLatency = 2
    // Milliseconds by width, as a stand-in for a stopwatch.
    let domain = NetworkDomain(space) { architecture in
      measured.withLock { $0[architecture.name, default: 0] += 1 }
      return Double(architecture.stem.channels) / 8
    }
    var search = try AlgorithmSettings.guided().make(
      try domain.problem(), goal: .targets([ReferenceTarget("t", ["params": 5000])]), seed: 3)
    for _ in 0..<80 {
      let asked = search.ask()
      let candidate = try #require(asked)
      #expect(try domain.architecture(candidate.genome).stem.channels <= 16)
      let costs = try #require(domain.costs(of: candidate.genome))
      try search.tell([
        Evaluation(
          id: candidate.id,
          objectives: [30, Double(costs.parameters), Double(costs.multiplyAdds)])
      ])
    }
    #expect(measured.withLock { $0.values.allSatisfy { $0 == 1 } && $0.count >= 80 })
    space.constraints.maximumLatency = 1
    let strict = NetworkDomain(space) { Double($0.stem.channels) / 8 }
    var second = RandomSearch(try strict.problem(), seed: 1)
    for candidate in second.ask(20) {
      #expect(try strict.architecture(candidate.genome).stem.channels == 8)
    }
  }

  @Test("The paper's search: four targets, 40 networks kept, ten for each target, in order of size")
  func paperPreset() throws {
    let domain = NetworkDomain(try .named("imagenet"))
    let problem = try domain.problem(targets: ReferenceTarget.paper)
    var search = try MOEAD(problem, goal: .paper, seed: 1)
    // Error falls with the logarithm of the multiply-adds, as a stand-in for training.
    for _ in 0..<20 {
      let generation = search.ask(40)
      #expect(generation.count == 40)
      try search.tell(
        generation.map { candidate in
          let costs = try #require(domain.costs(of: candidate.genome))
          let madds = Double(costs.multiplyAdds)
          return Evaluation(
            id: candidate.id,
            objectives: [33 - 6 * log2(madds / 66e6), Double(costs.parameters), madds])
        })
    }
    #expect(search.decomposition.names == ["xs", "s", "m", "l"])
    #expect(search.kept.map(\.count) == [10, 10, 10, 10])
    var sizes: [Int] = []
    for best in search.best {
      let genome = try #require(best?.genome)
      sizes.append(try #require(domain.costs(of: genome)).multiplyAdds)
    }
    #expect(sizes == sizes.sorted() && sizes[0] < sizes[3], "\(sizes)")
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
      ("reductionKernels: [\"3.4\"]", "3.4"), ("kernel: [3, 5, 3]", "a.kernel"),
      ("width: []", "empty"), ("width: eight", "width"), ("stride: 0", "stride"),
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

  @Test(
    "Spaces without stages, with impossible limits, or of no sense at all are named with the file",
    arguments: [
      ("stages: []", "there are no stages"),
      (
        "stages: [{name: a, stride: 1, width: [8], repeats: [1]}]\nconstraints: {maximumParameters: 0}",
        "limits must be above 0"
      ),
      (
        "stages: [{name: a, stride: 1, width: [8], repeats: [1]}]\nconstraints: {maximumSize: 9}",
        "maximumSize"
      ),
      ("stages: 3", "stages"), ("", "stages"), ("stages: [", "not valid YAML"),
    ])
  func badSpaces(_ tail: String, _ word: String) throws {
    let text = "name: t\ninputSize: 8\nclasses: 2\nstem: [8]\nhead: [0]\n" + tail
    let error = try #require(throws: SearchError.self) {
      try NetworkSpace.parse(text, path: "bad.yaml")
    }
    #expect("\(error)".contains(word))
    #expect("\(error)".hasPrefix("search space bad.yaml"))
    #expect(!"\(error)".contains("\n"))
  }

  @Test(
    "A number beyond all bounds is named with the file and the key, before anything is computed",
    arguments: [
      ("stemStride: 4611686018427387904", "stemStride must be from 1 to 64"),
      ("stem: [8, 9223372036854775807]", "stem must be from 1 to 65536, not 9223372036854775807"),
      ("head: [-1]", "head must be from 0 to 65536"),
      ("inputSize: 100000", "inputSize must be from 1 to 4096"),
      ("inputChannels: 0", "inputChannels must be from 1"),
      ("classes: 9223372036854775807", "classes must be from 1 to 1000000"),
      ("dropoutRate: .nan", "dropoutRate must be from 0.0 to 1.0"),
      ("first: [ds_k3_r999]", "first[0]: repeats must be from 1 to 1"),
      ("first: [ds_k3_s9999]", "first[0]: stride must be from 1 to 64"),
      ("tail: {width: [99999999]}", "tail.width must be from 1 to 65536"),
      ("tail: {width: [8], expansion: [.inf]}", "tail.expansion must be from 0.01"),
      ("tail: {width: [8], squeeze: 1e30}", "tail.squeeze must be from 0.0 to 16.0"),
      ("stages.repeats: [0, 1, 4611686018427387904]", "a.repeats must be from 0 to 64"),
      ("stages.repeats: [0, 1, 5000]", "a.repeats must be from 0 to 64, not 5000"),
      ("stages.width: [8, 9223372036854775806]", "a.width must be from 1 to 65536"),
      ("stages.stride: 4611686018427387904", "a.stride must be from 1 to 64"),
      ("stages.groupWidth: -9223372036854775808", "a.groupWidth must be from 1"),
      ("stages.kernel: [3, 9223372036854775807]", "a.kernel must be from 1 to 31"),
      ("stages.expansion: [.nan]", "a.expansion must be from 0.01 to 64.0"),
      ("stages.squeeze: -1", "a.squeeze must be from 0.0"),
      (
        "stages.repeats: [\((0...64).map(String.init).joined(separator: ", "))]",
        "number of choices of a.repeats must be from 1 to 64, not 65"
      ),
    ])
  func excess(_ line: String, _ words: String) throws {
    var stage = ["name": "a", "stride": "1", "width": "[8]", "repeats": "[0, 1]"]
    var space = ["name": "t", "inputSize": "8", "classes": "2", "stem": "[8]", "head": "[0]"]
    let sides = line.split(separator: ": ", maxSplits: 1).map(String.init)
    if sides[0].hasPrefix("stages.") {
      stage[String(sides[0].dropFirst(7))] = sides[1]
    } else {
      space[sides[0]] = sides[1]
    }
    let stages = stage.map { "\($0): \($1)" }.joined(separator: ", ")
    let text = space.map { "\($0): \($1)" }.joined(separator: "\n") + "\nstages: [{\(stages)}]\n"
    let error = try #require(throws: SearchError.self) {
      try NetworkSpace.parse(text, path: "bad.yaml")
    }
    #expect("\(error)".hasPrefix("search space bad.yaml: \(words)"), "\(error)")
  }

  @Test("A space of which nothing can be built is an error, also with limits")
  func nothingBuilds() throws {
    // Weights beyond what a network may have, though each number is within its bounds.
    var space = try NetworkSpace.parse(
      """
      name: t
      inputSize: 8
      classes: 1000000
      stem: [8]
      stages:
        - {name: a, stride: 1, width: [8], repeats: [0]}
      head: [65536]
      """, path: "t.yaml")
    for limit in [nil, 1_000_000] {
      space.constraints.maximumParameters = limit
      let error = try #require(throws: SearchError.self) { try NetworkDomain(space).problem() }
      #expect("\(error)".contains("none of its networks can be built"), "\(error)")
    }
  }

  @Test("A space that is not there is an error with the names that are")
  func unknownSpace() throws {
    let error = try #require(throws: SearchError.self) { try NetworkSpace.resolve("mobile") }
    #expect("\(error)".contains("imagenet, small, digits"))
    let missing = try #require(throws: SearchError.self) { try NetworkSpace.resolve("no.yaml") }
    #expect("\(missing)".contains("there is no such file"))
  }
}
