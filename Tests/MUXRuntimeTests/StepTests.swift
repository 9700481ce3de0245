// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXRuntime
import MUXWeights
import Testing

/// Small networks, each around one kind of step, against the definitions of the operations. All
/// buffers end at an untouchable page, so an access out of bounds ends the test run.
@Suite("Steps against their definition")
struct StepTests {
  /// A pointwise convolution with norm and activation.
  private func pointwise(
    _ builder: inout NetworkBuilder, _ x: NetworkBuilder.Value, _ name: String, _ channels: Int,
    _ activation: Activation
  ) -> NetworkBuilder.Value {
    var x = builder.convolution(x, name, outputChannels: channels)
    x = builder.batchNormalization(x, "\(name).bn")
    return builder.activation(x, "\(name).act", activation)
  }

  @Test("Dense 1×1 of any width", arguments: availableSets)
  func dense(set: InstructionSet) throws {
    for (inner, outer) in [(1, 1), (3, 7), (16, 8), (17, 24), (5, 33), (40, 15)] {
      for size in [ImageSize(height: 1, width: 1), ImageSize(height: 3, width: 5), ImageSize(17)] {
        var builder = NetworkBuilder(name: "dense", inputChannels: inner, inputSize: size)
        let activation = Activation.allCases[(inner + outer) % Activation.allCases.count]
        let x = pointwise(&builder, builder.input, "conv", outer, activation)
        _ = builder.convolution(x, "last", outputChannels: outer, hasBias: true)
        #expect(try compare(builder.build(), set: set) < 2e-5, "\(inner)→\(outer) on \(size)")
      }
    }
  }

  @Test("Convolutions with windows: kernel, stride, padding, dilation, wide groups")
  func windows() throws {
    let shapes: [(k: Int, s: Int, p: Int, d: Int, g: Int)] = [
      (3, 2, 1, 1, 1), (3, 1, 1, 1, 1), (5, 2, 0, 1, 1), (1, 2, 0, 1, 1), (3, 1, 2, 2, 1),
      (2, 2, 0, 1, 1), (7, 3, 3, 1, 1), (3, 1, 4, 1, 2), (1, 1, 1, 1, 1), (3, 2, 1, 1, 2),
    ]
    for set in availableSets {
      for shape in shapes {
        for size in [ImageSize(height: 9, width: 7), ImageSize(height: 20, width: 33)] {
          var builder = NetworkBuilder(name: "windows", inputChannels: 6, inputSize: size)
          let x = builder.convolution(
            builder.input, "conv", outputChannels: 18, kernelSize: shape.k, stride: shape.s,
            padding: shape.p, dilation: shape.d, groups: shape.g, hasBias: true)
          _ = builder.activation(x, "act", .relu6)
          #expect(try compare(builder.build(), set: set) < 2e-5, "\(shape) on \(size)")
        }
      }
    }
  }

  @Test("Depthwise and group-wise convolutions, alone and after an expansion")
  func spatial() throws {
    let sizes = [
      ImageSize(height: 1, width: 1), ImageSize(height: 7, width: 7),
      ImageSize(height: 13, width: 29), ImageSize(height: 14, width: 14),
    ]
    for set in availableSets {
      for (index, kernel) in [1, 2, 3, 4, 5, 7, 9, 11, 13].enumerated() {
        for width in [1, 2, 3, 4, 5, 6, 7, 8] {
          let stride = (index + width) % 3 + 1
          let size = sizes[(index + width) % sizes.count]
          let channels = width * [3, 17, 8, 33][(index * 3 + width) % 4]
          // An even kernel with half padding may not fit on an image of one pixel.
          if kernel % 2 == 0 && size.height == 1 { continue }
          var builder = NetworkBuilder(name: "spatial", inputChannels: 5, inputSize: size)
          var x = pointwise(&builder, builder.input, "expand", channels, .relu)
          x = builder.convolution(
            x, "spatial", outputChannels: channels, kernelSize: kernel, stride: stride,
            groups: channels / width, hasBias: width % 2 == 0)
          x = builder.activation(x, "act", .hardSwish)
          // The second one has no expansion before it and no projection after it.
          _ = builder.convolution(
            x, "alone", outputChannels: channels, kernelSize: 3, stride: 3 - stride % 2,
            groups: channels)
          #expect(
            try compare(builder.build(), set: set) < 2e-5,
            "k\(kernel) s\(stride) group width \(width), \(channels) channels, \(size)")
        }
      }
    }
  }

  @Test("Group-wise convolutions that widen or narrow, and dilated ones", arguments: availableSets)
  func unequalGroups(set: InstructionSet) throws {
    for (inner, outer, groups, dilation) in [(12, 24, 6, 1), (24, 12, 12, 2), (9, 27, 9, 3)] {
      var builder = NetworkBuilder(
        name: "groups", inputChannels: inner, inputSize: ImageSize(height: 11, width: 10))
      _ = builder.convolution(
        builder.input, "conv", outputChannels: outer, kernelSize: 3, dilation: dilation,
        groups: groups)
      #expect(try compare(builder.build(), set: set) < 2e-5)
    }
  }

  @Test("Spatial multiplexing of every factor, group width and image size")
  func multiplexing() throws {
    for set in availableSets {
      for factor in [2, 3] {
        for groupWidth in [1, 2] {
          for (kernel, dilation) in [(1, 1), (3, 1), (5, 1), (3, 2)] {
            for size in [ImageSize(height: 6, width: 12), ImageSize(height: 7, width: 15)] {
              let window = factor * factor
              func branch(
                _ name: String, _ outside: Int, _ multiplexing: SpatialMultiplexing
              ) -> BranchedConvolution.Branch {
                let inner =
                  switch multiplexing {
                  case .none: outside
                  case .subpixel: outside * window
                  case .superpixel: outside / window
                  }
                return BranchedConvolution.Branch(
                  name: name,
                  convolution: Convolution(
                    inputChannels: inner, outputChannels: inner, kernelSize: kernel,
                    dilation: dilation, groups: inner / groupWidth, hasBias: kernel == 3),
                  multiplexing: multiplexing, factor: factor)
              }
              let branched = BranchedConvolution(branches: [
                branch("a", 20, .subpixel), branch("b", 6, .none),
                branch("c", 2 * window, .superpixel),
              ])
              var builder = NetworkBuilder(name: "mux", inputChannels: 3, inputSize: size)
              var x = pointwise(
                &builder, builder.input, "expand", branched.inputChannels, .swish)
              x = builder.branchedConvolution(x, "mux", branched)
              x = builder.batchNormalization(x, "bn")
              x = builder.activation(x, "act", .swish)
              _ = builder.convolution(x, "project", outputChannels: 9)
              #expect(
                try compare(builder.build(), set: set) < 2e-5,
                "\(set) r\(factor) width \(groupWidth) k\(kernel) d\(dilation) \(size)")
            }
          }
        }
      }
    }
  }

  /// Windows that move differently over the same rows: a task in the middle of the image needs rows that
  /// only one of the branches would have left behind.
  @Test("Branches of different strides in one step")
  func differentStrides() throws {
    func branch(
      _ name: String, kernel: Int, stride: Int, padding: Int
    ) -> BranchedConvolution.Branch {
      BranchedConvolution.Branch(
        name: name,
        convolution: Convolution(
          inputChannels: 16, outputChannels: 16, kernelSize: kernel, stride: stride,
          padding: padding, groups: 16),
        multiplexing: .none)
    }
    let branched = BranchedConvolution(branches: [
      branch("a", kernel: 1, stride: 4, padding: 28),
      branch("b", kernel: 29, stride: 1, padding: 0),
    ])
    var builder = NetworkBuilder(name: "strides", inputChannels: 32, inputSize: ImageSize(56))
    let x = builder.branchedConvolution(builder.input, "mixed", branched)
    _ = builder.convolution(x, "project", outputChannels: 9)
    let network = try builder.build()
    let input = pixels(32 * 56 * 56, seed: 3)
    for set in availableSets {
      #expect(try compare(network, set: set) < 2e-5, "\(set)")
      let plan = try InferencePlan(
        network, weights: RandomWeights.archive(network, seed: 1), instructionSet: set)
      let expected = try InferenceEngine(plan, threads: 1).run(input)
      // Often enough that another thread begins in the middle.
      for threads in [2, 3] {
        let engine = try InferenceEngine(plan, threads: threads)
        for _ in 0..<40 { #expect(try engine.run(input) == expected, "\(set) \(threads)") }
      }
    }
  }

  @Test("A stem with far windows computes; one with taps beyond every address is planned")
  func distantTaps() throws {
    for distance in [200, 4_780_000] {
      let size = ImageSize(height: distance == 200 ? 64 : 224, width: distance == 200 ? 64 : 224)
      var builder = NetworkBuilder(name: "distant", inputChannels: 3, inputSize: size)
      let stem = builder.convolution(
        builder.input, "stem", outputChannels: 5, kernelSize: 3, padding: distance,
        dilation: distance)
      let x = builder.convolution(stem, "dw", outputChannels: 5, kernelSize: 3, groups: 5)
      _ = builder.convolution(x, "project", outputChannels: 9)
      let network = try builder.build()
      if distance == 200 {
        for set in availableSets { #expect(try compare(network, set: set) < 2e-5, "\(set)") }
      } else {
        #expect(throws: Never.self) {
          try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
        }
      }
    }
  }

  @Test("Superpixel branches of few and many channels; neighbours that convolve alike")
  func narrowSuperpixels() throws {
    let activations: [Activation] = [.identity, .relu, .relu6, .swish, .hardSwish]
    for set in availableSets {
      for (index, kernel) in [3, 5, 7].enumerated() {
        for (number, fine) in [1, 3, 4, 5, 17].enumerated() {
          for (column, width) in [1, 2, 3, 8, 17].enumerated() {
            func branch(
              _ name: String, _ channels: Int, _ multiplexing: SpatialMultiplexing
            ) -> BranchedConvolution.Branch {
              BranchedConvolution.Branch(
                name: name,
                convolution: Convolution(
                  inputChannels: channels, outputChannels: channels, kernelSize: kernel,
                  groups: channels, hasBias: fine == 5),
                multiplexing: multiplexing)
            }
            let branched = BranchedConvolution(branches: [
              branch("a", 9, .none), branch("b", 7, .none), branch("c", fine, .superpixel),
              branch("d", 5, .none),
            ])
            let size = ImageSize(height: [1, 2, 6, 9][(index + number + column) % 4], width: width)
            var builder = NetworkBuilder(name: "narrow", inputChannels: 3, inputSize: size)
            var x = pointwise(&builder, builder.input, "expand", branched.inputChannels, .relu)
            x = builder.branchedConvolution(x, "mux", branched)
            x = builder.batchNormalization(x, "bn")
            x = builder.activation(x, "act", activations[(number + column) % 5])
            x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
            _ = builder.convolution(x, "project", outputChannels: 9)
            #expect(
              try compare(builder.build(), set: set) < 2e-5, "\(set) k\(kernel) \(fine) \(size)")
          }
        }
      }
    }
  }

  @Test("A stem and the depthwise convolution after it, in one step", arguments: availableSets)
  func stem(set: InstructionSet) throws {
    for (kernel, stride, padding, channels) in [
      (3, 2, 1, 24), (3, 1, 1, 17), (5, 2, 0, 8), (7, 4, 3, 40), (2, 3, 2, 5),
    ] {
      for size in [ImageSize(height: 23, width: 34), ImageSize(height: 64, width: 9)] {
        for activation in [Activation.relu6, .swish] {
          var builder = NetworkBuilder(name: "stem", inputChannels: 3, inputSize: size)
          var x = builder.convolution(
            builder.input, "stem", outputChannels: channels, kernelSize: kernel, stride: stride,
            padding: padding)
          x = builder.batchNormalization(x, "bn")
          x = builder.activation(x, "act", activation)
          x = builder.convolution(
            x, "dw", outputChannels: channels, kernelSize: 3, stride: 1, groups: channels)
          x = builder.activation(x, "act2", activation)
          x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
          _ = builder.convolution(x, "project", outputChannels: 11)
          let network = try builder.build()
          for threads in [1, 2] {
            #expect(
              try compare(network, set: set, threads: threads) < 2e-5,
              "\(set) k\(kernel) s\(stride) \(channels) channels \(size)")
          }
        }
      }
    }
  }

  @Test(
    "A stem that is added again after the first block, kept by the step that makes it",
    arguments: availableSets)
  func keptStem(set: InstructionSet) throws {
    // How the sum goes on: what is kept for it must not be lost where something else reads it, too.
    for (index, ending) in ["sum", "activated", "read again", "block"].enumerated() {
      for (kernel, channels) in [(3, 24), (5, 17), (1, 8), (3, 40), (7, 5)] {
        for size in [ImageSize(height: 23, width: 34), ImageSize(height: 64, width: 9)] {
          var builder = NetworkBuilder(name: "stem", inputChannels: 3, inputSize: size)
          let stem = builder.activation(
            builder.convolution(
              builder.input, "stem", outputChannels: channels, kernelSize: 3, stride: 2),
            "act", index == 1 ? .relu : .swish)
          var x = builder.convolution(
            stem, "dw", outputChannels: channels, kernelSize: kernel, groups: channels)
          x = builder.activation(x, "act2", .relu)
          if channels != 17 {
            x = builder.squeezeExcitation(x, "se", reducedChannels: 3, activation: .relu)
          }
          x = builder.convolution(x, "project", outputChannels: channels)
          x = builder.sum(x, stem, "sum")
          if ending == "activated" { x = builder.activation(x, "act3", .relu) }
          if ending == "read again" { x = builder.sum(x, stem, "again") }
          if ending == "block" {
            // The sum takes the place of the stem, and an expansion reads it there.
            x = builder.convolution(x, "expand", outputChannels: 2 * channels)
            x = builder.convolution(
              x, "dw2", outputChannels: 2 * channels, kernelSize: 3, groups: 2 * channels)
          }
          _ = builder.convolution(x, "head", outputChannels: 7)
          let network = try builder.build()
          for threads in [1, 2] {
            #expect(
              try compare(network, set: set, threads: threads) < 2e-5,
              "\(set) \(ending) k\(kernel) \(channels) channels \(size) \(threads) threads")
          }
        }
      }
    }
  }

  @Test("Pools, sums, products, shuffles, slices and flattens between convolutions")
  func general() throws {
    for set in availableSets {
      var builder = NetworkBuilder(
        name: "general", inputChannels: 4, inputSize: ImageSize(height: 13, width: 18))
      let stem = pointwise(&builder, builder.input, "stem", 12, .relu)
      let left = builder.slice(stem, "left", start: 0, count: 6)
      let right = builder.slice(stem, "right", start: 6, count: 6)
      let sum = builder.sum(left, right, "sum")
      let normed = builder.activation(builder.batchNormalization(sum, "bn"), "act", .hardSigmoid)
      let product = builder.add("product", .multiply, normed, left, channels: 6)
      var x = builder.concatenation([product, right, left, right], "concat")
      x = builder.channelShuffle(x, "shuffle", groups: 3)
      let convolved = builder.convolution(x, "conv", outputChannels: 24)
      x = builder.activation(builder.sum(convolved, x, "residual"), "after", .relu)
      x = builder.pool(
        x, "max", Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1))
      x = builder.pool(
        x, "mean",
        Pooling(kind: .average, kernelSize: 3, stride: 1, padding: 1, countsPadding: false))
      x = builder.squeezeExcitation(x, "se", reducedChannels: 5, activation: .relu)
      x = builder.add("flatten", .flatten, x, channels: 24 * 7 * 9)
      _ = builder.add(
        "linear", .linear(Linear(inputFeatures: 24 * 7 * 9, outputFeatures: 19)), x, channels: 19)
      #expect(try compare(builder.build(), set: set) < 2e-5)
    }
  }

  @Test("Padding, cropping and adaptive pools")
  func pads() throws {
    for set in availableSets {
      for (top, left, bottom, right) in [
        (1, 1, 0, 0), (-1, -1, 0, 0), (0, 2, 3, 1), (-2, 1, -1, -3), (0, 0, 1, 1), (4, -5, -8, 9),
      ] {
        for (height, width) in [(7, 7), (3, 5), (1, 2), (20, 11)] {
          var builder = NetworkBuilder(
            name: "pads", inputChannels: 4, inputSize: ImageSize(height: 9, width: 10))
          var x = pointwise(&builder, builder.input, "stem", 12, .swish)
          x = builder.pad(
            x, "pad", ImagePadding(top: top, left: left, bottom: bottom, right: right))
          x = pointwise(&builder, x, "conv", 5, .identity)
          x = builder.add(
            "grid", .adaptiveAveragePool(ImageSize(height: height, width: width)), x, channels: 5)
          #expect(
            try compare(builder.build(), set: set) < 2e-5,
            "\(top) \(left) \(bottom) \(right), grid \(height)×\(width)")
        }
      }
    }
  }

  /// Stem, expansion, depthwise (or mixed kernels), squeeze-and-excitation, projection, with
  /// TensorFlow's padding.
  static func samePadded(
    _ kernels: [Int], stride: Int, size: ImageSize, groupWidth: Int = 1
  ) throws -> Network {
    var architecture = Architecture(
      name: "same", stem: .init(channels: 12),
      stages: [
        [
          BlockSpecification(
            .invertedResidual, channels: 20, kernelSizes: kernels, stride: stride, expansion: 3,
            squeezeRatio: 0.5, groupWidth: groupWidth)
        ]
      ], head: .init(channels: 0))
    architecture.classes = 7
    architecture.inputSize = size
    architecture.padding = .same
    return try architecture.network()
  }

  @Test("TensorFlow's padding: even and odd sides, which differ, and mixed kernels")
  func samePadding() throws {
    for set in availableSets {
      for (height, width) in [(32, 32), (33, 32), (30, 47), (29, 29), (4, 2), (1, 3), (62, 96)] {
        for (kernels, stride, group) in [([3], 2, 1), ([5], 2, 2), ([3, 5, 7], 2, 1), ([5], 1, 1)] {
          let network = try Self.samePadded(
            kernels, stride: stride, size: ImageSize(height: height, width: width),
            groupWidth: group)
          #expect(
            try compare(network, set: set) < 2e-5, "\(height)×\(width) \(kernels) s\(stride)")
        }
      }
      for (kernel, stride, dilation) in [(2, 1, 1), (4, 3, 1), (3, 2, 2), (1, 2, 1), (7, 4, 1)] {
        var builder = NetworkBuilder(
          name: "dense", inputChannels: 6, inputSize: ImageSize(height: 13, width: 18))
        let x = pointwise(&builder, builder.input, "stem", 16, .relu)
        _ = builder.add(
          "conv",
          .convolution(
            Convolution(
              inputChannels: 16, outputChannels: 9, kernelSize: kernel, stride: stride,
              dilation: dilation, paddingRule: .same)), x, channels: 9)
        #expect(try compare(builder.build(), set: set) < 2e-5, "\(kernel) \(stride) \(dilation)")
      }
    }
  }

  @Test("Pools that round their size up, with and without padding")
  func ceilPools() throws {
    for set in availableSets {
      for (kernel, stride, padding) in [(2, 2, 0), (3, 2, 1), (3, 3, 0), (1, 2, 0), (5, 4, 2)] {
        var builder = NetworkBuilder(
          name: "ceil", inputChannels: 4, inputSize: ImageSize(height: 9, width: 10))
        let x = pointwise(&builder, builder.input, "stem", 7, .swish)
        _ = builder.pool(
          x, "pool",
          Pooling(
            kind: .maximum, kernelSize: kernel, stride: stride, padding: padding, ceilMode: true))
        #expect(try compare(builder.build(), set: set) < 2e-5, "\(kernel) \(stride) \(padding)")
      }
    }
  }

  @Test("L2 normalisation over few and many channels, of small and large images, and of zeros")
  func l2Normalization() throws {
    for set in availableSets {
      for (channels, height, width) in [(1, 1, 1), (3, 9, 10), (17, 1, 300), (70, 23, 40)] {
        let size = ImageSize(height: height, width: width)
        var builder = NetworkBuilder(name: "l2", inputChannels: 4, inputSize: size)
        // ReLU leaves some positions with few values that are not zero.
        let x = pointwise(&builder, builder.input, "stem", channels, .relu)
        let y = builder.l2Normalization(x, "norm")
        _ = builder.sum(y, x, "both")
        #expect(try compare(builder.build(), set: set) < 2e-5, "\(channels) \(size)")
      }
    }
    let network = try Network(
      name: "zeros", inputChannels: 3, inputSize: ImageSize(2),
      nodes: [
        Node(
          name: "norm", operation: .l2Normalization(L2Normalization(channels: 3)),
          inputs: [Network.inputName])
      ])
    let plan = try InferencePlan(network, weights: RandomWeights.archive(network, seed: 1))
    let found = try InferenceEngine(plan).run([Float](repeating: 0, count: 12))
    #expect(found == [Float](repeating: 0, count: 12))
  }

  @Test("A residual that is needed again is not overwritten")
  func sharedResidual() throws {
    var builder = NetworkBuilder(name: "shared", inputChannels: 3, inputSize: ImageSize(10))
    let x = pointwise(&builder, builder.input, "stem", 16, .swish)
    var y = pointwise(&builder, x, "expand", 32, .relu)
    y = builder.convolution(y, "dw", outputChannels: 32, kernelSize: 3, groups: 32)
    y = builder.convolution(y, "project", outputChannels: 16)
    y = builder.sum(x, y, "first")
    let z = builder.sum(y, x, "second")
    _ = builder.concatenation([z, y, x], "all")
    for set in availableSets { #expect(try compare(builder.build(), set: set) < 2e-5) }
  }
}
