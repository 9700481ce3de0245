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

  /// - Parameter parameters: the block's, with names from the block on.
  init(
    key: String, block: BlockSpecification, inputs: [Int], sections: ChannelSections?,
    parameters: [ParameterSpecification]
  ) {
    self.key = key
    self.block = block
    self.sections = sections
    // A block that leaves channels out reads the first ones.
    let reads = parameters.first { $0.name == "conv_pw.weight" && block.expands }?.shape
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

  /// The part of a parameter, named from the block on.
  func slice(_ parameter: ParameterSpecification) -> SharedSlice {
    let parts = parameter.name.split(separator: ".")
    let layer =
      parts.first == "se" ? "se.\(parts.dropFirst().first ?? "")" : String(parts.first ?? "")
    let outputs = Array(0..<(parameter.shape.first ?? 0))
    func part(_ rows: [Int], _ columns: [Int]? = nil, own: Bool = false) -> SharedSlice {
      let rest = parameter.name.dropFirst(layer.count)
      return SharedSlice(
        parameter: parameter.name, tensor: "\(key).\(layer)\(own ? "(\(variant))" : "")\(rest)",
        rows: rows, columns: parameter.shape.count > 1 ? columns : nil,
        kernel: parameter.shape.count == 4 ? parameter.shape[2] : nil)
    }
    switch (layer, block.expands) {
    case ("conv_dw", _):
      let branch = parameter.branch ?? 0
      var own = part(spatialRows.indices.contains(branch) ? spatialRows[branch] : outputs)
      own.tensor = "\(key).conv_dw(\(variant)).\(branch).\(parameter.role.suffix)"
      return own
    case ("se.conv_reduce", _): return part(outputs, middle)
    case ("se.conv_expand", _):
      return part(middle, Array(0..<(parameter.shape.count > 1 ? parameter.shape[1] : 0)))
    case ("conv_pw", true) where block.expansionGroups == 1: return part(middle, inputs)
    case ("bn1", true): return part(middle)
    // What a spatial convolution gives differs with its shape.
    case ("bn2", true),
      ("bn1", false) where block.kind != .convolution:
      return part(middle, own: true)
    case ("conv_pwl", true) where block.projectionGroups == 1: return part(outputs, middle)
    case ("conv_pw", false): return part(outputs, middle)
    case ("conv", _): return part(outputs, inputs)
    default:
      // Nothing else has channels that differ from network to network.
      return part(outputs, parameter.shape.count > 1 ? Array(0..<parameter.shape[1]) : nil)
    }
  }
}

extension BlockSpecification {
  /// Whether its spatial convolution works on expanded channels.
  var expands: Bool { kind == .invertedResidual || kind == .mux }
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
