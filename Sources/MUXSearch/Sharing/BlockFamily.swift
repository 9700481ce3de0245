// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Blocks that stand at one place of a space's networks, with all their choices.
struct BlockFamily {
  /// What the names of their shared tensors begin with, such as `stage1.first`.
  var name: String
  /// How many of them stand behind each other in the deepest network.
  var copies: Int
  /// Every choice, with the channels that come in.
  var variants: [(inputs: Int, block: BlockSpecification)]
}

extension NetworkSpace {
  /// The places of blocks, in order: a first and a normal one for each stage.
  func families() throws(NetworkError) -> [BlockFamily] {
    var families: [BlockFamily] = []
    for (index, text) in first.enumerated() {
      var variants: [(Int, BlockSpecification)] = []
      for channels in stem {
        variants.append((channels, try block(first: text, channels: channels)))
      }
      families.append(BlockFamily(name: "first.\(index)", copies: 1, variants: variants))
    }
    var inputs = stem
    for (index, stage) in stages.enumerated() {
      families.append(
        BlockFamily(
          name: "\(stage.name).first", copies: 1,
          variants: try stage.reductions(at: index, of: self, inputs: inputs)))
      if let copies = stage.repeats.max(), copies > 0 {
        families.append(
          BlockFamily(
            name: "\(stage.name).normal", copies: copies,
            variants: try stage.normals(at: index, of: self)))
      }
      inputs = stage.width
    }
    if let tail {
      var variants: [(Int, BlockSpecification)] = []
      for channels in inputs {
        for kernel in tail.kernel {
          for width in tail.width {
            for expansion in tail.expansion {
              variants.append((channels, try tail.block(kernel, width, expansion)))
            }
          }
        }
      }
      families.append(BlockFamily(name: "tail", copies: 1, variants: variants))
    }
    return families
  }
}

extension NetworkSpace.Stage {
  /// A genome of zeros but for some genes of this stage.
  private func genome(
    _ space: NetworkSpace, _ index: Int, _ choices: [(NetworkSpace.StageGene, Int)]
  ) -> Genome {
    var genome = Genome(space.genes.map { _ in 0 })
    for (gene, choice) in choices { genome[NetworkSpace.position(index, gene)] = choice }
    return genome
  }

  fileprivate func reductions(
    at index: Int, of space: NetworkSpace, inputs: [Int]
  ) throws(NetworkError) -> [(Int, BlockSpecification)] {
    var variants: [(Int, BlockSpecification)] = []
    for place in width.indices {
      for kernels in reductionKernels.indices {
        for ratio in reductionExpansion.indices {
          let block = try reduction(
            genome(
              space, index,
              [(.width, place), (.reductionKernels, kernels), (.reductionExpansion, ratio)]), index)
          variants += inputs.map { ($0, block) }
        }
      }
    }
    return variants
  }

  fileprivate func normals(
    at index: Int, of space: NetworkSpace
  ) throws(NetworkError) -> [(Int, BlockSpecification)] {
    var variants: [(Int, BlockSpecification)] = []
    for (place, channels) in width.enumerated() {
      for mode in multiplexing.indices {
        for left in leaveOut.indices {
          for ratio in expansion.indices {
            let choice = StageChoice(expansion: ratio, leaveOut: left, multiplexing: mode)
            guard nearestSound(to: choice, width: channels) == choice else { continue }
            for size in kernel.indices {
              let genome = genome(
                space, index,
                [
                  (.width, place), (.kernel, size), (.expansion, ratio), (.leaveOut, left),
                  (.multiplexing, mode),
                ])
              variants.append((channels, try normal(genome, index)))
            }
          }
        }
      }
    }
    return variants
  }
}
