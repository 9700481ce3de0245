// SPDX-License-Identifier: Apache-2.0

extension NetworkBuilder {
  /// Adds a MUX block (`mux`, paper section 3.2 and figure 4): the first ⌊C·(1 − l)⌋ channels go
  /// through an inverted residual, the others pass; processed and passed channels are concatenated
  /// and shuffled. Stride 1, as many channels out as in.
  mutating func muxBlock(
    _ block: BlockSpecification, _ value: Value, _ context: BlockContext
  ) throws(NetworkError) -> Value {
    guard context.stride == 1, context.outputChannels == value.channels else {
      throw .invalidLayer(
        name: context.name,
        reason: "a MUX block keeps its shape; it cannot go from \(value.channels) to"
          + " \(context.outputChannels) channels at stride \(context.stride)")
    }
    let processed = ChannelRounding.whole(Double(value.channels) * (1 - block.leaveOutRatio))
    guard processed > 0 else {
      throw .invalidLayer(
        name: context.name,
        reason: "leaving out \(block.leaveOutRatio) of \(value.channels) channels leaves none")
    }
    var inner = context
    inner.outputChannels = processed
    guard processed < value.channels else {
      let x = try invertedResidual(block, value, inner)
      return channelShuffle(x, "\(context.name).shuffle", groups: block.shuffleGroups)
    }
    let part = slice(value, "\(context.name).split.processed", start: 0, count: processed)
    let rest = slice(
      value, "\(context.name).split.passed", start: processed, count: value.channels - processed)
    var x = try invertedResidual(block, part, inner)
    x = concatenation([x, rest], "\(context.name).concat")
    return channelShuffle(x, "\(context.name).shuffle", groups: block.shuffleGroups)
  }
}
