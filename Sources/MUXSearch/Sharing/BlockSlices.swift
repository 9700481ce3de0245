// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Cuts the parameters of one block from the tensors that its family shares.
struct BlockSlices {
  /// What the names of the shared tensors begin with.
  let key: String
  let block: BlockSpecification
  /// Which channels of the shared network come in, in the order in which they come.
  let inputs: [Int]
  /// The sections of the family's expanded channels.
  let sections: ChannelSections?

  private let middle: [Int]
  /// The rows of each branch's spatial weight.
  private let spatialRows: [[Int]]
  /// What tells spatial weights of one shape from those of another.
  private let variant: String

  /// - Parameter parameters: the block's.
  init(
    key: String, block: BlockSpecification, inputs: [Int], sections: ChannelSections?,
    parameters: [PlacedParameter<BlockPlace>]
  ) {
    self.key = key
    self.block = block
    self.sections = sections
    // A block that leaves channels out reads the first ones.
    let reads = parameters.expansionWeight?.shape
    self.inputs = Array(inputs.prefix(reads?[1] ?? inputs.count))
    let slices = block.slices(of: reads?[0] ?? inputs.count)
    var (middle, rows): ([Int], [[Int]]) = ([], [])
    let taken = reads == nil ? nil : sections?.channels(of: slices)
    for (index, slice) in slices.enumerated() {
      let channels = taken?[index] ?? Array(0..<slice.channels)
      let start = taken == nil ? 0 : sections?.start(of: index, among: slices.count) ?? 0
      middle += slice.inOrder(channels)
      rows.append(slice.rows(channels.map { $0 - start }))
    }
    // Without expansion the channels are those that come in.
    self.middle = taken == nil ? Array(0..<inputs.count) : middle
    spatialRows = rows
    let scales = block.scales.map { String($0.rawValue) }
    variant =
      scales.isEmpty
      ? block.kernelSizes.count > 1
        ? block.kernelSizes.map(String.init).joined(separator: ".") : "none"
      : scales.joined(separator: ".")
  }

  /// The part of a parameter.
  func slice(_ parameter: PlacedParameter<BlockPlace>) -> SharedSlice {
    let specification = parameter.specification
    let shape = specification.shape
    let outputs = Array(0..<(shape.first ?? 0))
    let all = shape.count > 1 ? Array(0..<shape[1]) : nil
    func part(_ rows: [Int], _ columns: [Int]? = nil, own: Bool = false) -> SharedSlice {
      SharedSlice(
        parameter: specification.name,
        tensor: "\(key).\(parameter.layer)\(own ? "(\(variant))" : "")\(parameter.ending)",
        rows: rows, columns: shape.count > 1 ? columns : nil,
        kernel: shape.count == 4 ? shape[2] : nil)
    }
    switch parameter.place {
    case .dense: return part(outputs, inputs)
    // One convolution for each of several groups of channels takes the first ones of its own.
    case .expansion: return specification.branch == nil ? part(middle, inputs) : part(outputs, all)
    case .expansionNorm: return part(middle)
    case .spatial:
      let branch = specification.branch ?? 0
      var own = part(spatialRows.indices.contains(branch) ? spatialRows[branch] : outputs)
      own.tensor =
        "\(key).\(parameter.layer)(\(variant)).\(branch).\(specification.role.suffix)"
      return own
    // What a spatial convolution gives differs with its shape.
    case .spatialNorm: return part(middle, own: true)
    case .squeeze: return part(outputs, middle)
    case .excitation: return part(middle, all)
    case .projection: return part(outputs, specification.branch == nil ? middle : all)
    // The block's own channels are the first ones of the widest.
    case .denseNorm, .projectionNorm: return part(outputs)
    }
  }
}

extension BranchSlice {
  /// The slice's channels as they follow each other: those of a superpixel by their places in its window.
  fileprivate func inOrder(_ channels: [Int]) -> [Int] {
    guard scale == .superpixel, window > 1, channels.count % window == 0 else { return channels }
    let count = channels.count / window
    return (0..<window).flatMap { place in (0..<count).map { channels[window * $0 + place] } }
  }

  /// The rows of the weight that works on these channels, which are counted from the slice's first.
  fileprivate func rows(_ channels: [Int]) -> [Int] {
    switch scale {
    case .none: channels
    case .subpixel: (0..<window).flatMap { place in channels.map { $0 * window + place } }
    case .superpixel:
      stride(from: 0, to: channels.count - channels.count % window, by: window)
        .map { channels[$0] / window }
    }
  }
}
