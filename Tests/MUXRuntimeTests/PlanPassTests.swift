// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import Testing

/// What each pass of the plan compiler makes of small networks, as text.
@Suite("Passes of the plan compiler")
struct PlanPassTests {
  /// An inverted residual block: expansion, depthwise convolution, perhaps a gate, projection.
  private func block(
    _ builder: inout NetworkBuilder, _ x: NetworkBuilder.Value, _ name: String, expanded: Int,
    outputs: Int, isExcited: Bool = false
  ) -> NetworkBuilder.Value {
    var x = builder.convolution(x, "\(name).expand", outputChannels: expanded)
    x = builder.batchNormalization(x, "\(name).bn1")
    x = builder.activation(x, "\(name).act1", .relu)
    x = builder.convolution(
      x, "\(name).spatial", outputChannels: expanded, kernelSize: 3, groups: expanded)
    x = builder.activation(x, "\(name).act2", .swish)
    if isExcited {
      x = builder.squeezeExcitation(x, "\(name).se", reducedChannels: 2, activation: .relu)
    }
    return builder.convolution(x, "\(name).project", outputChannels: outputs, hasBias: true)
  }

  private func builder(channels: Int = 3) -> NetworkBuilder {
    NetworkBuilder(name: "small", inputChannels: channels, inputSize: ImageSize(6))
  }

  /// The lines after a pass, without the heading.
  private func lines(
    _ network: Network, after pass: PlanPass, _ precision: Precision = .float32,
    isObserving: Bool = false
  ) throws -> [String] {
    let listing = try PlanListing(
      network, precision: precision, lanes: 8, isObserving: isObserving)
    let lines = listing.text(after: pass).split(separator: "\n").map(String.init)
    #expect(lines[0] == "# small, \(precision.rawValue), 8 lanes, after \(pass.rawValue)")
    return Array(lines.dropFirst())
  }

  /// The line of a block's spatial step.
  private static func spatial(
    _ writes: String, _ name: String, _ reads: String, products: Precision = .float32
  ) -> String {
    let precision = products == .float32 ? "" : " products of \(products.rawValue);"
    return "\(writes) = spatial \(name).spatial (\(reads)) expand 1×1"
      + " \(name).expand+\(name).bn1 relu; 3×3 groups 8 \(name).spatial; then swish;\(precision)"
      + " ring 6 rows; tasks 6 rows × 1/1 units"
  }

  @Test("Match: a block is one match from its expansion to its sum, with what stands between")
  func match() throws {
    var builder = builder(channels: 4)
    let x = block(
      &builder, builder.input, "a", expanded: 8, outputs: 4, isExcited: true)
    let sum = builder.activation(builder.sum(x, builder.input, "sum"), "act", .relu)
    _ = builder.classify(sum, "fc", classes: 2)
    let lines = try lines(builder.build(), after: .match)
    #expect(
      lines == [
        "block expansion=a.expand+a.bn1+a.act1 spatial=a.spatial+a.act2"
          + " excitation=a.se.conv_reduce,a.se.conv_expand projection=a.project"
          + " sum=sum+relu of=input in place",
        "single layer=global_pool", "single layer=flatten", "linear layer=fc",
      ])
  }

  @Test("Lower: slices, concatenations and shuffles are lists of channels and take no step")
  func selections() throws {
    var builder = builder(channels: 4)
    let left = builder.slice(builder.input, "left", start: 0, count: 2)
    let right = builder.slice(builder.input, "right", start: 2, count: 2)
    let x = builder.activation(left, "act", .relu)
    let both = builder.concatenation([x, right], "both")
    let mixed = builder.channelShuffle(both, "mixed", groups: 2)
    _ = builder.convolution(mixed, "last", outputChannels: 2, kernelSize: 3)
    let lines = try lines(builder.build(), after: .lower)
    #expect(
      lines == [
        "v0 NCHW 4×6×6 = input",
        "v1 planes 2×6×6 = elementwise act (v0[0..<2]) relu",
        "v2 planes 2×6×6 = dense last (shuffle(v1, v0[2..<4])) 3×3 last",
        "v3 NCHW 72×1×1 = elementwise output (v2) copy",
        "output 2×6×6 = v3",
      ])
  }

  @Test("Lower: the sum is written over what is added, if nobody reads that later")
  func sums() throws {
    for isReadAgain in [false, true] {
      var builder = builder(channels: 4)
      let first = builder.activation(builder.input, "first", .relu)
      let x = block(&builder, first, "a", expanded: 8, outputs: 4)
      let sum = builder.sum(x, first, "sum")
      _ = isReadAgain ? builder.concatenation([sum, first], "both") : sum
      let lines = try lines(builder.build(), after: .lower)
      #expect(
        lines == [
          "v0 NCHW 4×6×6 = input",
          "v1 planes 4×6×6 = elementwise first (v0) relu",
          Self.spatial("v2 NCHW8c 8×6×6", "a", "v1"),
          "v3 planes 4×6×6\(isReadAgain ? "" : " over v1") = dense a.project (v2, add v1) 1×1"
            + " a.project+bias",
          isReadAgain
            ? "v4 NCHW 288×1×1 = elementwise output (v3+v1) copy"
            : "v4 NCHW 144×1×1 = elementwise output (v3) copy",
          "output \(isReadAgain ? 8 : 4)×6×6 = v4",
        ])
    }
  }

  @Test(
    "Formats: a projection that one expansion reads gives blocks; one that two read gives planes")
  func blocks() throws {
    for isReadAgain in [false, true] {
      var builder = builder()
      let x = block(&builder, builder.input, "a", expanded: 8, outputs: 5)
      let y = block(&builder, x, "b", expanded: 8, outputs: 5)
      _ = isReadAgain ? builder.sum(y, x, "sum") : y
      let network = try builder.build()
      let before = try lines(network, after: .lower)
      let after = try lines(network, after: .formats)
      func expected(_ format: String) -> [String] {
        [
          "v0 NCHW 3×6×6 = input",
          Self.spatial("v1 NCHW8c 8×6×6", "a", "v0"),
          "v2 \(format) 5×6×6 = dense a.project (v1) 1×1 a.project+bias",
          Self.spatial("v3 NCHW8c 8×6×6", "b", "v2"),
          isReadAgain
            ? "v4 planes 5×6×6 over v2 = dense b.project (v3, add v2) 1×1 b.project+bias"
            : "v4 planes 5×6×6 = dense b.project (v3) 1×1 b.project+bias",
          "v5 NCHW 180×1×1 = elementwise output (v4) copy",
          "output 5×6×6 = v5",
        ]
      }
      #expect(before == expected("planes"))
      #expect(after == expected(isReadAgain ? "planes" : "NCHW8c"))
    }
  }

  @Test("Formats: with 8 bits groups are made by a step, or by the projection before")
  func groups() throws {
    var builder = builder()
    var x = block(&builder, builder.input, "a", expanded: 8, outputs: 5)
    x = block(&builder, x, "b", expanded: 8, outputs: 5)
    _ = builder.convolution(x, "last", outputChannels: 4)
    let network = try builder.build()
    #expect(
      try lines(network, after: .formats, .int8) == [
        "v0 NCHW 3×6×6 = input",
        "v7 NCHW4c 3×6×6 int8 of a.spatial/input = pack a.spatial (v0)",
        Self.spatial("v1 NCHW8c 8×6×6 int8 of a.spatial/result", "a", "v7", products: .int8),
        "v2 NCHW4c 5×6×6 int8 of b.spatial/input = dense a.project (v1) 1×1 a.project+bias;"
          + " products of int8",
        Self.spatial("v3 NCHW8c 8×6×6 int8 of b.spatial/result", "b", "v2", products: .int8),
        "v4 planes 5×6×6 = dense b.project (v3) 1×1 b.project+bias; products of int8",
        "v8 NCHW4c 5×6×6 int8 of last/input = pack last (v4)",
        "v5 planes 4×6×6 = dense last (v8) 1×1 last; products of int8",
        "v6 NCHW 144×1×1 = elementwise output (v5) copy",
        "output 4×6×6 = v6",
      ])
    // What is measured is measured where groups are made of planes.
    #expect(
      try lines(network, after: .formats, .bfloat16, isObserving: true) == [
        "v0 NCHW 3×6×6 = input",
        "v7 extremes 1, v8 NCHW2c 3×6×6 bfloat16 = pack a.spatial (v0)",
        Self.spatial(
          "v9 extremes 3, v1 NCHW8c 8×6×6 bfloat16", "a", "v8", products: .bfloat16),
        "v2 planes 5×6×6 = dense a.project (v1) 1×1 a.project+bias; products of bfloat16",
        "v10 extremes 1, v11 NCHW2c 5×6×6 bfloat16 = pack b.spatial (v2)",
        Self.spatial(
          "v12 extremes 3, v3 NCHW8c 8×6×6 bfloat16", "b", "v11", products: .bfloat16),
        "v4 planes 5×6×6 = dense b.project (v3) 1×1 b.project+bias; products of bfloat16",
        "v13 extremes 1, v14 NCHW2c 5×6×6 bfloat16 = pack last (v4)",
        "v5 planes 4×6×6 = dense last (v14) 1×1 last; products of bfloat16",
        "v6 NCHW 144×1×1 = elementwise output (v5) copy",
        "output 4×6×6 = v6",
      ])
  }

  @Test("Pack: each step names its weights in the order of a packed file")
  func pack() throws {
    var builder = builder()
    let normed = builder.batchNormalization(builder.input, "bn")
    _ = block(&builder, normed, "a", expanded: 8, outputs: 5, isExcited: true)
    let network = try builder.build()
    let small = [
      "v4 planes 2×1×1 = linear a.se.conv_reduce (v3) a.se.conv_reduce+bias relu"
        + " [linear ×64; linear bias ×8]",
      "v5 gate 8 of v2 = linear a.se.conv_expand (v4) a.se.conv_expand+bias sigmoid"
        + " [linear ×16; linear bias ×8]",
    ]
    #expect(
      try lines(network, after: .pack) == [
        "v0 NCHW 3×6×6 = input",
        "v1 planes 3×6×6 = elementwise bn (v0) bn [scale ×3; shift ×3]",
        Self.spatial("v2 NCHW8c 8×6×6, v3 sums 1×8 of v2", "a", "v1")
          + " [spatial 0, 3×3, 1 to 1 ×72; spatial 0, 3×3, 1 to 1 bias ×8; expansion ×24;"
          + " expansion bias ×8]",
        small[0], small[1],
        "v6 planes 5×6×6 = dense a.project (v2, gate v5) 1×1 a.project+bias"
          + " [dense ×64; dense bias ×8]",
        "v7 NCHW 180×1×1 = elementwise output (v6) copy",
        "output 5×6×6 = v7",
      ])
    #expect(
      try lines(network, after: .pack, .bfloat16) == [
        "v0 NCHW 3×6×6 = input",
        "v1 planes 3×6×6 = elementwise bn (v0) bn [scale ×3; shift ×3]",
        "v8 NCHW2c 3×6×6 bfloat16 = pack a.spatial (v1)",
        Self.spatial(
          "v2 NCHW8c 8×6×6 bfloat16, v3 sums 1×8 of v2", "a", "v8", products: .bfloat16)
          + " [expansion, cells of bfloat16 ×16; expansion, cells of bfloat16, bias ×8;"
          + " spatial 0, 3×3, 1 to 1, cells of bfloat16 ×48;"
          + " spatial 0, 3×3, 1 to 1, cells of bfloat16, bias ×8]",
        small[0], small[1],
        "v6 planes 5×6×6 = dense a.project (v2, gate v5) 1×1 a.project+bias; products of bfloat16"
          + " [dense, gated, cells of bfloat16 ×32; dense bias ×8]",
        "v7 NCHW 180×1×1 = elementwise output (v6) copy",
        "output 5×6×6 = v7",
      ])
  }

  @Test("Place: values that live at the same time lie apart, others in the same place")
  func place() throws {
    var builder = builder(channels: 1)
    var x = builder.input
    for index in 0..<4 { x = builder.activation(x, "act\(index)", .relu) }
    let lines = try lines(builder.build(), after: .place)
    #expect(
      lines == [
        "v0@0 NCHW 1×6×6 = input",
        "v1@48 planes 1×6×6 = elementwise act0 (v0) relu",
        "v2@0 planes 1×6×6 = elementwise act1 (v1) relu",
        "v3@48 planes 1×6×6 = elementwise act2 (v2) relu",
        "v4@0 planes 1×6×6 = elementwise act3 (v3) relu",
        "output 1×6×6 = v4",
        "arena 384 bytes",
      ])
  }
}
