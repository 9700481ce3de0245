// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// In what order a network's nodes run, what each reads, and when each value can be let go.
struct ExecutionPlan {
  /// One node's turn.
  struct Step {
    /// The nodes whose values it reads; −1 is the network's input.
    var inputs: [Int]
    /// A concatenation that the next node's shuffle takes over; it runs only when captured.
    var isAbsorbed = false
    /// A shuffle that reads the inputs of the concatenation before it, which saves a copy.
    var interleaves = false
    /// The values that no later node reads.
    var lastUses: [Int] = []
  }

  var steps: [Step]
  /// The last node of the network that reads each value, −1 where none does.
  let lastReader: [Int]
  /// Whether each value is an output.
  let isOutput: [Bool]

  init(_ network: Network) {
    steps = network.inputIndices.map { Step(inputs: $0) }
    var uses = [Int](repeating: 0, count: steps.count)
    for step in steps { for input in step.inputs where input >= 0 { uses[input] += 1 } }
    let widths = (try? network.shapes())?.map(\.channels) ?? []
    let outputs = Set(network.outputIndices)
    isOutput = network.nodes.indices.map(outputs.contains)
    var lastReader = [Int](repeating: -1, count: steps.count)
    for (index, inputs) in network.inputIndices.enumerated() {
      for input in inputs where input >= 0 { lastReader[input] = index }
    }
    self.lastReader = lastReader
    for (index, node) in network.nodes.enumerated() {
      // A shuffle in g groups of g equal parts puts their channels alternately side by side.
      guard case .channelShuffle(let groups) = node.operation,
        let source = steps[index].inputs.first,
        source >= 0, uses[source] == 1, !outputs.contains(source),
        case .concatenate = network.nodes[source].operation
      else { continue }
      let parts = network.inputIndices[source]
      let channels = Set(parts.map { $0 < 0 ? network.inputChannels : widths[$0] })
      guard parts.count == groups, channels.count == 1, widths.count == steps.count else {
        continue
      }
      steps[index].inputs = parts
      steps[index].interleaves = true
      steps[source].isAbsorbed = true
    }
    var seen = outputs
    for index in steps.indices.reversed() {
      for input in steps[index].inputs where seen.insert(input).inserted {
        steps[index].lastUses.append(input)
      }
    }
  }
}
