// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXTensor

/// An executor with what the model knows about its nodes.
struct Segment {
  let executor: any SegmentExecutor
  /// The nodes outside that it reads; −1 is the network's input.
  let inputs: [Int]
  /// Its batch norms: positions of nodes.
  let norms: [Int]
  /// The batch counters of its batch norms.
  let counters: [Tensor]

  /// Whether no value inside it is asked for.
  func isFree(of captured: Set<Int>) -> Bool {
    captured.isEmpty || !executor.nodes.dropLast().contains { captured.contains($0) }
  }
}

extension NetworkModel {
  /// The values that a run of nodes reads from outside, each once, in ascending order: positions of
  /// nodes, or −1 for the network's input.
  public func inputs(ofSegment nodes: Range<Int>) -> [Int] {
    Set(network.inputIndices[nodes].joined()).filter { $0 < nodes.lowerBound }.sorted()
  }

  /// Lets an executor run its nodes from now on, in place of those that overlap with it.
  ///
  /// - Throws: ``ExecutionError/segment(nodes:reason:)`` if the nodes are not in the network, or a
  ///   value other than the last one's is read outside.
  public func install(_ executor: any SegmentExecutor) throws {
    let nodes = executor.nodes
    guard !nodes.isEmpty, nodes.lowerBound >= 0, nodes.upperBound <= network.nodes.count else {
      throw ExecutionError.segment(
        nodes: nodes, reason: "the network has \(network.nodes.count) nodes")
    }
    // Only what the segment's own nodes say is looked at: a network has many segments.
    let isRead = nodes.dropLast().contains {
      plan.isOutput[$0] || plan.lastReader[$0] >= nodes.upperBound
    }
    if isRead {
      throw ExecutionError.segment(nodes: nodes, reason: readOutside(nodes))
    }
    let last = nodes.upperBound - 1
    if plan.steps[last].isAbsorbed {
      throw ExecutionError.segment(
        nodes: nodes, reason: "it ends between a concatenation and its shuffle")
    }
    // A shuffle that takes over a concatenation reads the latter's inputs.
    let inputs = inputs(ofSegment: nodes)
    let known = Set(inputs)
    for node in nodes {
      for input in plan.steps[node].inputs
      where input < nodes.lowerBound && !known.contains(input) {
        throw ExecutionError.segment(
          nodes: nodes, reason: "it starts between a concatenation and its shuffle")
      }
    }
    let norms = nodes.filter { network.nodes[$0].isBatchNorm }
    for node in nodes {
      guard let start = segmentStarts[node], let former = segments.removeValue(forKey: start) else {
        continue
      }
      for other in former.executor.nodes { segmentStarts[other] = nil }
    }
    for node in nodes { segmentStarts[node] = nodes.lowerBound }
    segments[nodes.lowerBound] = Segment(
      executor: executor, inputs: inputs, norms: norms,
      counters: norms.compactMap { stateByNode[$0].last })
  }

  /// What of a run of nodes is read outside, besides its last value.
  private func readOutside(_ nodes: Range<Int>) -> String {
    for (index, inputs) in network.inputIndices.enumerated() where index >= nodes.upperBound {
      for input in inputs where nodes.dropLast().contains(input) {
        return "'\(network.nodes[index].name)' reads '\(network.nodes[input].name)' inside it"
      }
    }
    let output = network.outputIndices.first { nodes.dropLast().contains($0) }
    return "'\(output.map { network.nodes[$0].name } ?? "")' inside it is an output"
  }

  /// Removes all executors: every node runs by itself.
  public func removeSegments() {
    segments = [:]
    segmentStarts = [:]
  }
}
