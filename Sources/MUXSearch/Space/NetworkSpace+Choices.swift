// SPDX-License-Identifier: Apache-2.0

extension NetworkDomain {
  /// What the choices of each gene mean, in the order of the genes, such as `16` for a width or
  /// `-1.0.0.1` for a multiplexing.
  public var choiceTexts: [[String]] {
    func texts(_ values: [some CustomStringConvertible]) -> [String] { values.map(\.description) }
    func texts(_ values: [Double]) -> [String] {
      values.map { $0 == $0.rounded() && abs($0) < 1e6 ? "\(Int($0))" : "\($0)" }
    }
    var result = [texts(space.stem)]
    for stage in space.stages {
      result += NetworkSpace.StageGene.allCases.map { gene in
        switch gene {
        case .width: texts(stage.width)
        case .reductionKernels: stage.reductionKernels
        case .reductionExpansion: texts(stage.reductionExpansion)
        case .repeats: texts(stage.repeats)
        case .kernel: texts(stage.kernel)
        case .expansion: texts(stage.expansion)
        case .leaveOut: texts(stage.leaveOut)
        case .multiplexing: stage.multiplexing
        }
      }
    }
    if let tail = space.tail {
      result += [texts(tail.kernel), texts(tail.width), texts(tail.expansion)]
    }
    return result + [texts(space.head)]
  }
}
