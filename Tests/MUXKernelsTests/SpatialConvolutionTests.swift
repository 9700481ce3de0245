// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import MUXTestSupport
import Testing

@Suite("Spatial convolutions against the scalar reference")
struct SpatialConvolutionTests {
  typealias Branch = SpatialCase.Branch

  /// Sums of a few hundred products in float.
  static let tolerance = 2e-5
  static let activations = (0..<UInt32(MUX_ACTIVATION_COUNT)).map {
    mux_usual_activation(mux_activation_kind(rawValue: $0))
  }
  static let sizes = [(1, 1), (2, 5), (7, 7), (9, 6), (14, 15), (5, 28), (17, 3)]

  private func check(_ cases: [SpatialCase]) {
    for (turn, isa) in availableVariants.enumerated() {
      withVariant(isa) {
        for item in Portion.of(cases, turn: turn) {
          let error = item.error()
          #expect(error < Self.tolerance, "\(String(cString: mux_isa_name(isa))) \(item)")
        }
      }
    }
  }

  @Test("Depthwise, any odd kernel and stride", arguments: [1, 3, 5, 7, 9, 11, 13])
  func depthwise(kernel: Int) {
    var cases: [SpatialCase] = []
    for (index, (height, width)) in Self.sizes.enumerated() {
      for stride in 1...2 {
        let channels = [1, 7, 8, 16, 17, 40][(index + kernel) % 6]
        cases.append(
          SpatialCase(
            height: height, width: width, stride: stride,
            branches: [Branch(channels: channels, kernel: kernel)],
            activation: Self.activations[(index + stride) % Self.activations.count],
            seed: UInt64(kernel * 100 + index)))
      }
    }
    check(cases)
  }

  @Test("Group widths with and without vector kernels", arguments: [2, 3, 4, 6, 8, 16, 20])
  func groups(width groupWidth: Int) {
    var cases: [SpatialCase] = []
    for (index, (height, width)) in Self.sizes.enumerated() {
      for (kernel, stride) in [(1, 1), (3, 1), (5, 1), (7, 1), (3, 2), (5, 2)] {
        let branch = Branch(
          channels: groupWidth * (1 + index % 3), kernel: kernel, groupWidth: groupWidth)
        cases.append(
          SpatialCase(
            height: height, width: width, stride: stride, branches: [branch],
            activation: index % 2 == 0
              ? mux_usual_activation(MUX_SWISH) : mux_usual_activation(MUX_RELU),
            seed: UInt64(kernel + index)))
      }
    }
    check(cases)
  }

  @Test("Spatial multiplexing with odd sizes", arguments: [-1, 1], [1, 2, 3, 8])
  func multiplexing(scale: Int, groupWidth: Int) {
    var cases: [SpatialCase] = []
    for (index, (height, width)) in Self.sizes.enumerated() {
      for (kernel, factor) in [(3, 2), (5, 2), (7, 2), (3, 3)] {
        let slices = scale > 0 ? factor * factor : 1
        let branch = Branch(
          channels: groupWidth * slices * (1 + index % 2), kernel: kernel,
          groupWidth: groupWidth, multiplex: scale)
        cases.append(
          SpatialCase(
            height: height, width: width, factor: factor, branches: [branch],
            seed: UInt64(index * 7 + kernel)))
      }
    }
    check(cases)
  }

  @Test("Branches side by side: mixed kernels of MUXNet-m, and mixed scales")
  func branches() {
    check([
      SpatialCase(
        height: 7, width: 8, stride: 2,
        branches: [
          Branch(channels: 92, kernel: 3), Branch(channels: 89, kernel: 5),
          Branch(channels: 89, kernel: 7), Branch(channels: 89, kernel: 9),
          Branch(channels: 89, kernel: 11),
        ]),
      SpatialCase(
        height: 9, width: 11,
        branches: [
          Branch(channels: 7, kernel: 3, multiplex: -1),
          Branch(channels: 6, kernel: 5, groupWidth: 2),
          Branch(channels: 9, kernel: 3, groupWidth: 3),
          Branch(channels: 8, kernel: 5, multiplex: 1),
        ]),
    ])
  }

  @Test("Images too wide for all channels at once, and a single wide row")
  func chunks() {
    check([
      SpatialCase(height: 3, width: 130, branches: [Branch(channels: 200, kernel: 7)]),
      SpatialCase(height: 1, width: 300, branches: [Branch(channels: 3, kernel: 3)]),
      SpatialCase(
        height: 3, width: 70, branches: [Branch(channels: 96, kernel: 5, multiplex: -1)]),
      SpatialCase(
        height: 3, width: 40, branches: [Branch(channels: 256, kernel: 5, multiplex: 1)]),
    ])
  }

  @Test("Neither the contents nor the alignment of scratch memory changes a bit")
  func reproducible() {
    for isa in availableVariants {
      withVariant(isa) {
        let item = SpatialCase(
          height: 9, width: 10,
          branches: [
            Branch(channels: 12, kernel: 3, multiplex: -1),
            Branch(channels: 10, kernel: 5, groupWidth: 2), Branch(channels: 5, kernel: 3),
          ])
        let first = item.kernels(dirt: .nan)
        #expect(!first.output.isEmpty)
        #expect(item.kernels(dirt: 3, shift: 5) == first)
      }
    }
  }

  @Test("Malformed operations are named")
  func validation() {
    func message(_ branch: Branch, stride: Int = 1, factor: Int = 2, extra: Int32 = 0) -> String? {
      let item = SpatialCase(
        height: 4, width: 4, stride: stride, factor: factor, branches: [branch])
      item.operation.channels += extra
      return mux_spatial_validate(&item.operation).map { String(cString: $0) }
    }
    #expect(message(Branch(channels: 4, kernel: 3)) == nil)
    #expect(message(Branch(channels: 4, kernel: 3), extra: 1)?.contains("add up") == true)
    #expect(message(Branch(channels: 4, kernel: 4))?.contains("odd") == true)
    #expect(message(Branch(channels: 4, kernel: 3), stride: 3)?.contains("stride") == true)
    #expect(
      message(Branch(channels: 4, kernel: 3, groupWidth: 3))?.contains("group width") == true)
    #expect(message(Branch(channels: 6, kernel: 3, multiplex: 1))?.contains("factor") == true)
    #expect(
      message(Branch(channels: 4, kernel: 3, multiplex: -1), stride: 2)?.contains("stride")
        == true)
  }
}
