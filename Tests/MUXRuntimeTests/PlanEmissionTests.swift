// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import Testing

/// Multiplexed branches and pools, as text after the passes, and the structures that the kernels get.
/// (The numbers follow from the sizes: 8 lanes, planes that begin at multiples of 16 floats, the first output
/// of a step where nothing lies that is still read.)
@Suite("Plans of branches and pools, and what the kernels get")
struct PlanEmissionTests {
  private func builder(channels: Int, size: Int) -> NetworkBuilder {
    NetworkBuilder(name: "small", inputChannels: channels, inputSize: ImageSize(size))
  }

  private func lines(
    _ network: Network, after pass: PlanPass, _ precision: Precision = .float32
  ) throws -> [String] {
    let text = try PlanListing(network, precision: precision, lanes: 8).text(after: pass)
    return text.split(separator: "\n").dropFirst().map(String.init)
  }

  private func branch(
    _ name: String, _ channels: Int, _ multiplexing: SpatialMultiplexing, groups: Int? = nil
  ) -> BranchedConvolution.Branch {
    .init(
      name: name,
      convolution: Convolution(
        inputChannels: channels, outputChannels: channels, kernelSize: 3,
        groups: groups ?? channels), multiplexing: multiplexing)
  }

  /// An expansion to 8 channels, of which 2 go through windows as channels, 2 through nothing, 4 through
  /// channels as windows; a projection.
  private func multiplexed() throws -> Network {
    var builder = builder(channels: 2, size: 4)
    var x = builder.convolution(builder.input, "expand", outputChannels: 8)
    x = builder.activation(x, "act", .relu)
    x = builder.branchedConvolution(
      x, "spatial",
      BranchedConvolution(branches: [
        branch("0", 8, .subpixel), branch("1", 2, .none), branch("2", 1, .superpixel),
      ]))
    _ = builder.convolution(x, "project", outputChannels: 3, hasBias: true)
    return try builder.build()
  }

  @Test("Branches of all scales behind an expansion are units of one step")
  func fused() throws {
    let network = try multiplexed()
    #expect(
      try lines(network, after: .match) == [
        "block expansion=expand+act spatial=spatial projection=project"
      ])
    #expect(
      try lines(network, after: .lower) == [
        "v0 NCHW 2×4×4 = input",
        "v1 NCHW8c 8×4×4 = spatial spatial (v0) expand 1×1 expand relu; 3×3 groups 8 "
          + "subpixel 2 spatial.0; 3×3 groups 2 spatial.1; 3×3 superpixel 2 spatial.2; ring 4 "
          + "rows; tasks 4 rows × 2/3 units",
        "v2 planes 3×4×4 = dense project (v1) 1×1 project+bias",
        "output 3×4×4 = v2",
      ])
    #expect(
      try lines(network, after: .pack) == [
        "v0 NCHW 2×4×4 = input",
        "v1 NCHW8c 8×4×4 = spatial spatial (v0) expand 1×1 expand relu; 3×3 groups 8 "
          + "subpixel 2 spatial.0; 3×3 groups 2 spatial.1; 3×3 superpixel 2 spatial.2; ring 4 "
          + "rows; tasks 4 rows × 2/3 units [spatial 1, 3×3, 1 to 1 ×288; spatial 1, 3×3, 1 to 1 "
          + "bias ×32; spatial 0, 3×3, 1 to 1 ×72; spatial 0, 3×3, 1 to 1 bias ×8; spatial 3, "
          + "3×3, 1 to 1 ×192; spatial 3, 3×3, 1 to 1 bias ×8; expansion ×48; expansion bias ×24]",
        "v2 planes 3×4×4 = dense project (v1) 1×1 project+bias [dense ×64; dense bias ×8]",
        "output 3×4×4 = v2",
      ])
    #expect(
      try lines(network, after: .emit) == [
        "spatial; in_height 4; in_width 4; out_height 4; out_width 4; offsets [384 400]; "
          + "inner 2; pitch 1; weights; bias; producer_activation (kind 1); units; unit_count 3; "
          + "units_per_task 2; rows_per_task 4; chunk 4; out_blocks 3; gathered (inverse 1.0); "
          + "middle (inverse 1.0); result (inverse 1.0); observed none; sums none; unit (mode 1, "
          + "in_count 1, out_count 1, kernel 3, stride 1, dilation 1, top 1, left 1, factor 2, "
          + "weights, bias); unit (first_in 1, in_count 1, first_out 1, out_count 1, kernel 3, "
          + "stride 1, dilation 1, top 1, left 1, factor 1, weights, bias); unit (mode 3, "
          + "first_in 2, in_count 1, first_out 2, out_count 1, kernel 3, stride 1, dilation 1, "
          + "top 1, left 1, factor 2, weights, bias)",
        "dense; offsets [0 1 128 129 256 258 … 262]; inner 8; outer 3; weights; bias; step "
          + "8; pixels 16; gate none; outputs [384 400 416]; quantization (inverse 1.0); "
          + "observed none; pixel_bands 1; block_bands 1",
      ])
    #expect(
      try lines(network, after: .emit, .int8) == [
        "pack; precision int8; planes 2; pixels 16; inputs [0 16]; output 96; quantization "
          + "(inverse 1.0); observed none; tasks 1",
        "spatial; in_height 4; in_width 4; out_height 4; out_width 4; offsets [96]; inner 1; "
          + "pitch 1; weights; bias; producer_activation (kind 1); units; unit_count 3; "
          + "units_per_task 2; rows_per_task 4; chunk 4; out_blocks 3; precision int8; gathered "
          + "(inverse 1.0); middle (inverse 1.0); result (inverse 1.0); observed none; sums "
          + "none; unit (mode 1, in_count 1, out_count 1, kernel 3, stride 1, dilation 1, top 1, "
          + "left 1, factor 2, weights, bias); unit (first_in 1, in_count 1, first_out 1, "
          + "out_count 1, kernel 3, stride 1, dilation 1, top 1, left 1, factor 1, weights, "
          + "bias); unit (mode 3, first_in 2, in_count 1, first_out 2, out_count 1, kernel 3, "
          + "stride 1, dilation 1, top 1, left 1, factor 2, weights, bias)",
        "dense; offsets [0 32 64 65]; inner 16; outer 3; weights; bias; step 2; pixels 16; "
          + "gate none; outputs [96 112 128]; precision int8; cells 4; quantization (inverse "
          + "1.0); observed none; pixel_bands 1; block_bands 1",
      ])
  }

  @Test("Branches that convolve densely are moved, convolved and moved back, each by itself")
  func apart() throws {
    var builder = builder(channels: 6, size: 5)
    _ = builder.branchedConvolution(
      builder.input, "spatial",
      BranchedConvolution(branches: [
        branch("0", 8, .subpixel, groups: 1), branch("1", 1, .superpixel),
      ]))
    let network = try builder.build()
    #expect(
      try lines(network, after: .lower) == [
        "v0 NCHW 6×5×5 = input",
        "v1 planes 8×3×3 = multiplex spatial.0 (v0[0..<2]) windows to channels 2 on 5×5",
        "v2 planes 8×3×3 = dense spatial.0 (v1) 3×3 spatial.0",
        "v3 planes 2×5×5 = multiplex spatial.0 (v2) channels to windows 2 on 5×5",
        "v4 planes 1×10×10 = multiplex spatial.1 (v0[2..<6]) channels to windows 2 on 10×10",
        "v5 NCHW8c 1×10×10 = spatial spatial.1 (v4) 3×3 spatial.1; ring 10 rows; tasks 10 "
          + "rows × 1/1 units",
        "v6 planes 1×10×10 = unblock spatial.1 (v5)",
        "v7 planes 4×5×5 = multiplex spatial.1 (v6) windows to channels 2 on 10×10",
        "v8 NCHW 150×1×1 = elementwise output (v3+v7) copy",
        "output 6×5×5 = v8",
      ])
    #expect(
      try lines(network, after: .emit) == [
        "multiplex; to_channels 1; factor 2; planes 2; height 5; width 5; inputs [0 25]; "
          + "outputs [160 176 … 272]; tasks 1",
        "dense; offsets [0 1 2 5 6 7 10 11 12 15 16 17 20 21 22 25 26 27 30 31 32 35 36 37 "
          + "40 41 42 45 46 47 50 51 52 55 56 57 60 61 62 65 66 67 70 71 72 75 76 77 80 81 82 85 "
          + "86 87 90 91 92 95 96 97 100 101 102 105 106 107 110 111 112 115 116 117]; inner 72; "
          + "outer 8; weights; bias; step 1; pixels 9; gate none; outputs [288 304 … 400]; "
          + "window (kernel 3, stride 1, top 1, left 1, dilation 1, in_height 3, in_width 3, "
          + "out_height 3, out_width 3, inputs [160 176 … 272], input_count 8); quantization "
          + "(inverse 1.0); observed none; pixel_bands 1; block_bands 1",
        "multiplex; factor 2; planes 2; height 5; width 5; inputs [288 304 … 400]; outputs "
          + "[912 944]; tasks 1",
        "multiplex; factor 2; planes 1; height 10; width 10; inputs [50 75 … 125]; outputs "
          + "[800]; tasks 1",
        "spatial; in_height 10; in_width 10; out_height 10; out_width 10; offsets; pitch 1; "
          + "units; unit_count 1; units_per_task 2; rows_per_task 10; chunk 10; out_blocks 1; "
          + "gathered (inverse 1.0); middle (inverse 1.0); result (inverse 1.0); observed none; "
          + "sums none; unit (in_count 1, out_count 1, kernel 3, stride 1, dilation 1, top 1, "
          + "left 1, factor 1, weights, bias)",
        "unblock; pixels 100; planes 1; outputs [800]; positions [0]; tasks 1",
        "multiplex; to_channels 1; factor 2; planes 1; height 10; width 10; inputs [800]; "
          + "outputs [160 192 … 256]; tasks 1",
        "elementwise; planes 6; pixels 25; a [912 944 160 192 … 256]; outputs [0 25 … 125]; "
          + "tasks 1",
      ])
  }

  @Test("Pools, means and zeros around are steps plane by plane")
  func pools() throws {
    var builder = builder(channels: 2, size: 6)
    var x = builder.pool(
      builder.input, "max", Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1))
    x = builder.pad(x, "pad", ImagePadding(top: 1, left: 2, bottom: 0, right: 1))
    x = builder.pool(
      x, "average", Pooling(kind: .average, kernelSize: 2, stride: 1, countsPadding: false))
    x = builder.pool(
      x, "ceil", Pooling(kind: .maximum, kernelSize: 2, stride: 2, ceilMode: true))
    _ = builder.classify(x, "fc", classes: 2)
    let network = try builder.build()
    #expect(
      try lines(network, after: .lower) == [
        "v0 NCHW 2×6×6 = input",
        "v1 planes 2×3×3 = pool max (v0) maximum 3×3 stride 2 padding 1",
        "v2 planes 2×4×6 = pad pad (v1) top 1 left 2",
        "v3 planes 2×3×5 = pool average (v2) average 2×2 stride 1",
        "v4 planes 2×2×3 = pool ceil (v3) maximum 2×2 stride 2",
        "v5 planes 2×1×1 = pool global_pool (v4) mean",
        "v6 planes 2×1×1 = linear fc (v5) fc+bias",
        "output 2×1×1 = v6",
      ])
    #expect(
      try lines(network, after: .emit) == [
        "pool; planes 2; in_height 6; in_width 6; out_height 3; out_width 3; kernel 3; "
          + "stride 2; padding 1; counts_padding 1; inputs [0 36]; outputs [80 96]; tasks 1",
        "pad; planes 2; in_height 3; in_width 3; out_height 4; out_width 6; top 1; left 2; "
          + "inputs [80 96]; outputs [0 32]; tasks 1",
        "pool; planes 2; in_height 4; in_width 6; out_height 3; out_width 5; kernel 2; "
          + "stride 1; is_average 1; inputs [0 32]; outputs [64 80]; tasks 1",
        "pool; planes 2; in_height 3; in_width 5; out_height 2; out_width 3; kernel 2; "
          + "stride 2; counts_padding 1; inputs [64 80]; outputs [0 16]; tasks 1",
        "pool; planes 2; in_height 2; in_width 3; out_height 1; out_width 1; inputs [0 16]; "
          + "outputs [32 33]; tasks 1",
        "linear; input 32; bands 1; scale 1.0; inner 2; outer 2; weights; bias; tasks 1",
      ])
  }
}
