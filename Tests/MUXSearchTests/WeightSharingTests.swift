// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXSearch
import Testing

@Suite("Networks of a space share weights")
struct WeightSharingTests {
  private func space(_ name: String) throws -> NetworkSpace { try .named(name) }

  @Test(
    "each parameter of any network is a part of a shared tensor, of its shape and role",
    arguments: [("digits", WeightSharing.Widths.shared), ("small", .shared), ("small", .own)])
  func parts(name: String, widths: WeightSharing.Widths) throws {
    let sharing = try WeightSharing(space(name), widths: widths)
    let tensors = Dictionary(uniqueKeysWithValues: sharing.tensors.map { ($0.name, $0) })
    var random = SearchRandom(seed: 3, purpose: "test")
    var used: Set<String> = []
    for _ in 0..<60 {
      let genome = try sharing.drawn(with: &random)
      let network = try sharing.network(genome)
      let slices = try sharing.slices(genome)
      let byName = Dictionary(uniqueKeysWithValues: slices.map { ($0.parameter, $0) })
      let parameters = network.parameters.filter { $0.role != .batchCount }
      #expect(slices.count == parameters.count)
      for parameter in parameters {
        let slice = try #require(byName[parameter.name], "\(parameter.name)")
        let tensor = try #require(tensors[slice.tensor], "\(slice.tensor)")
        #expect(tensor.role == parameter.role, "\(parameter.name)")
        #expect(slice.fits(in: tensor.shape), "\(slice.tensor) \(tensor.shape)")
        #expect(slice.shape(in: tensor.shape) == parameter.shape, "\(parameter.name)")
        #expect(Set(slice.rows).count == slice.rows.count, "\(parameter.name): a row twice")
        used.insert(slice.tensor)
      }
    }
    if name == "digits" { #expect(used == Set(tensors.keys), "every tensor is some network's") }
  }

  @Test("the tail and the first blocks of the paper's space are shared, too")
  func paper() throws {
    let sharing = try WeightSharing(space("imagenet"))
    let names = Set(sharing.tensors.map(\.name))
    #expect(names.contains("first.0.conv_dw(none).0.weight"))
    #expect(names.contains("tail.conv_pwl.weight"))
    #expect(names.contains("stage3a.first.conv_dw(3.5.7.9).3.weight"))
    let kernel = sharing.tensors.first { $0.name == "stage2.0.conv_dw(none).0.weight" }
    #expect(kernel?.shape.suffix(3) == [2, 7, 7], "groups of 2, the largest kernel")
  }

  @Test("channels stay in their branch and, in a superpixel, at their place")
  func sections() throws {
    let sharing = try WeightSharing(space("small"))
    let domain = NetworkDomain(sharing.space)
    var genome = Genome(domain.genes.map { _ in 0 })
    func set(_ name: String, _ choice: Int) throws {
      genome[try #require(domain.genes.firstIndex { $0.name == "stage2.\(name)" })] = choice
    }
    func rows() throws -> [Int] {
      let slices = try sharing.slices(genome)
      return try #require(slices.first { $0.parameter == "blocks.2.0.conv_pw.weight" }).rows
    }
    try set("repeats", 1)
    try set("width", 1)
    try set("leaveOut", 1)
    try set("expansion", 2)  // 12 processed channels, 72 expanded ones
    let plain = try rows()
    try set("multiplexing", 1)
    let halves = try rows()
    #expect(plain.count == 72 && Set(plain) == Set(halves))
    try set("expansion", 1)  // 48 = 4 · 12
    let (large, modes) = (try rows(), try [0, 1, 2].map { try rows(of: $0) })
    #expect(large.count == 48)
    func rows(of mode: Int) throws -> [Int] {
      try set("multiplexing", mode)
      return try rows()
    }
    #expect(Set(modes[0]) == Set(modes[1]) && Set(modes[1]) == Set(modes[2]))
    #expect(Array(modes[2].prefix(12)) == Array(modes[0].prefix(12)), "the first branch")
    // Place p of window i is channel 4·i + p of the last section.
    let last = modes[0].suffix(12).sorted()
    #expect(
      Array(modes[2].suffix(12)) == (0..<4).flatMap { p in (0..<3).map { last[4 * $0 + p] } })
    // Fewer channels are the first of each section.
    try set("expansion", 0)  // 24 = 4 · 6
    try set("multiplexing", 1)
    let few = try rows()
    #expect(few.count == 24 && Set(few).isSubset(of: Set(modes[0])))
    for quarter in 0..<4 {
      let (whole, part) = (
        modes[0][12 * quarter..<12 * quarter + 12], few[6 * quarter..<6 * quarter + 6]
      )
      #expect(Array(whole.prefix(6)) == Array(part), "quarter \(quarter)")
    }
  }

  @Test("a genome of another space is refused with the reason")
  func strangers() throws {
    let sharing = try WeightSharing(space("digits"))
    let short = #expect(throws: SearchError.self) { try sharing.slices([0, 1, 2]) }
    #expect(short?.description.contains("it has 3 genes, the space 'muxnet_digits' has 18") == true)
    var genome = Genome([Int](repeating: 0, count: 18))
    genome[1] = 7
    let far = #expect(throws: SearchError.self) { try sharing.network(genome) }
    #expect(far?.description.contains("'stage1.width' is 7; its choices are 0 to 2") == true)
    genome[1] = -1
    #expect(throws: SearchError.self) { try sharing.network(genome) }
  }

  @Test("a network with a layer that has no place in the space is refused by the layer's name")
  func layers() throws {
    let sharing = try WeightSharing(space("digits"))
    let genes = NetworkDomain(sharing.space).genes
    let short = Genome(genes.map { _ in 0 })
    var long = short
    long[try #require(genes.firstIndex { $0.name == "stage2.repeats" })] = 2
    #expect(try !sharing.slices(long).isEmpty)
    // Its third block begins where the other has its head.
    let network = try sharing.network(long)
    let error = #expect(throws: SearchError.self) { try sharing.slices(short, of: network) }
    #expect(error?.description.contains("'blocks.2.0.conv_dw'") == true)
    let other = try ModelZoo.network(named: "shufflenetv2_050")
    #expect(throws: SearchError.self) { try sharing.slices(short, of: other) }
  }

  @Test("the ends of a space keep its limits, and what is drawn does, too")
  func ends() throws {
    var space = try space("digits")
    space.constraints.maximumMultiplyAdds = 300_000
    let sharing = try WeightSharing(space)
    let ends = try sharing.ends()
    let costs = try [ends.smallest, ends.largest].map {
      try #require(sharing.costs(of: $0)).multiplyAdds
    }
    #expect(costs[0] < 30_000 && costs[1] > 200_000 && costs[1] <= 300_000, "\(costs)")
    var random = SearchRandom(seed: 1, purpose: "test")
    var modes: Set<Int> = []
    let place = try #require(
      NetworkDomain(space).genes.firstIndex { $0.name == "stage2.reductionKernels" })
    for _ in 0..<40 {
      #expect(try #require(sharing.costs(of: sharing.drawn(with: &random))).multiplyAdds <= 300_000)
      let varied = sharing.varied(ends.largest, with: &random)
      #expect(try #require(sharing.costs(of: varied)).multiplyAdds <= 300_000)
      modes.insert(varied[place])
    }
    #expect(modes == [0, 1], "both mixtures of kernels")
    // A limit takes something of all stages, not only of those that come last.
    var small = try NetworkSpace.named("small")
    small.constraints.maximumMultiplyAdds = 50_000_000
    let limited = try WeightSharing(small)
    let largest = try #require(limited.costs(of: limited.ends().largest))
    #expect(largest.multiplyAdds > 45_000_000 && largest.multiplyAdds <= 50_000_000)
    #expect(largest.parameters > 350_000, "of 500,799 without the limit, not \(largest.parameters)")
    space.constraints.maximumMultiplyAdds = 10
    let error = #expect(throws: SearchError.self) { try WeightSharing(space).ends() }
    #expect(error?.description.contains("keeps all limits") == true)
  }

  @Test("slicings without a common multiple worth the name are refused, not shared wrongly")
  func tooManySlicings() throws {
    var space = try space("digits")
    func scales(_ count: Int) -> String {
      [String](repeating: "0", count: count).joined(separator: ".")
    }
    space.stages[0].multiplexing = [7, 11, 13, 5].map(scales)
    space.stages[0].leaveOut = [0]
    space.stages[0].width = [64]
    let error = #expect(throws: SearchError.self) { try WeightSharing(space) }
    #expect(error?.description.contains("'stage1.normal' slices its channels") == true)
  }
}
