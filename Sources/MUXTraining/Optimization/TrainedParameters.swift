// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
package import MUXNetworks

/// What of a network is trained, and how fast, as the settings say it for its names.
struct TrainedParameters {
  /// The parameters that are frozen, at first or for the whole run.
  let frozen: Set<String>
  /// Learning rates, and what is trained later.
  let rates: ParameterRates
  /// What is out of the ordinary, in a line each.
  let notices: [String]
  /// The pattern that stands for all parameters but the head's, where none has such a name.
  static let backbone = "backbone"

  /// Resolves the patterns of `model.freeze` and `optimizer.learningRateScale`, and the layer decay.
  ///
  /// - Throws: `ConfigurationError` for a pattern that matches nothing, and where nothing is trained.
  init(_ configuration: TrainingConfiguration, network: Network) throws(ConfigurationError) {
    let (model, optimizer) = (configuration.model, configuration.optimizer)
    let parameters = network.parameters.filter(\.isLearnable)
    let names = parameters.map(\.name)
    let backbone = network.backboneParameters
    func matching(_ text: String, _ setting: String) throws(ConfigurationError) -> Set<String> {
      let pattern = NamePattern(text)
      let found = Set(names.filter(pattern.matches))
      guard found.isEmpty else { return found }
      if text == Self.backbone, !backbone.isEmpty { return backbone }
      throw ConfigurationError(
        setting: setting, value: text.printable,
        expected: "no parameter of \(network.name) has such a name" + pattern.hint(among: names))
    }
    var frozen: Set<String> = []
    for text in model.freeze { frozen.formUnion(try matching(text, "model.freeze")) }
    var factors: [String: Double] = [:]
    for (index, scale) in optimizer.learningRateScale.enumerated() {
      let setting = "optimizer.learningRateScale[\(index)].parameters"
      for name in try matching(scale.parameters, setting) where factors[name] == nil {
        factors[name] = scale.factor
      }
    }
    if optimizer.layerDecay < 1 {
      let depths = network.layerDepths
      for parameter in parameters {
        factors[parameter.name, default: 1] *= pow(
          optimizer.layerDecay, Double(max(depths[parameter.node], 1) - 1))
      }
    }
    let live = parameters.filter { !frozen.contains($0.name) && factors[$0.name] != 0 }
    guard !live.isEmpty else {
      let isFrozen = frozen.count == names.count
      throw ConfigurationError(
        setting: isFrozen ? "model.freeze" : "optimizer.learningRateScale",
        value: isFrozen
          ? "\(model.freeze)" : "\(optimizer.learningRateScale.map(\.factor))",
        expected: "nothing would be trained: all \(names.count) parameter tensors of"
          + " \(network.name) rest; leave the head out, say")
    }
    self.frozen = frozen
    notices = Self.notices(
      of: parameters, live: live, factors: factors, hasFrozen: !frozen.isEmpty, model)
    rates = ParameterRates(factors: factors, late: model.freezeEpochs == nil ? [] : frozen)
  }

  /// What is out of the ordinary with all parameters, of which some are trained at first.
  private static func notices(
    of parameters: [ParameterSpecification], live: [ParameterSpecification],
    factors: [String: Double], hasFrozen: Bool, _ model: ModelConfiguration
  ) -> [String] {
    func scalars(_ list: [ParameterSpecification]) -> Int { list.reduce(0) { $0 + $1.count } }
    var notices: [String] = []
    if live.count < parameters.count {
      let (trained, all) = (scalars(live), scalars(parameters))
      notices.append(
        "\(trained) of \(all) parameters are trained (\(live.count) of \(parameters.count) tensors)"
          + (model.freezeEpochs.map { ", all of them after \($0) epoch\($0 == 1 ? "" : "s")" } ?? "")
          + (hasFrozen
            ? "; batch norms that rest"
              + (model.freezesStatistics
                ? " keep their statistics" : " follow the statistics of the batches")
            : "")
      )
      if model.initialWeights == nil, hasFrozen {
        notices.append(
          "model.freeze without model.initialWeights: what rests stays as random as it starts")
      }
    }
    let shown = live.map { factors[$0.name] ?? 1 }
    if let least = shown.min(), let most = shown.max(), least != most {
      notices.append(
        "learning rates by parameter: \(NumberText.significant(least, digits: 3)) to \(NumberText.significant(most, digits: 3)) times that of the schedule"
      )
    }
    return notices
  }

  /// Whether a parameter rests for the whole run.
  func isNeverTrained(_ name: String) -> Bool {
    frozen.contains(name) && !rates.late.contains(name)
  }
}

extension Network {
  /// The learnable parameters that are not of the head: of a classifier all but the last layer's, of a
  /// detector those of the network that it was made from. Empty where neither is known.
  var backboneParameters: Set<String> {
    let layers = Set(ModelZoo.backboneNames(of: self).keys)
    let head = classifier?.index
    guard !layers.isEmpty || head != nil else { return [] }
    return Set(
      parameters.lazy.filter { parameter in
        guard parameter.isLearnable else { return false }
        guard !layers.isEmpty else { return parameter.node != head }
        return parameter.name.lastIndex(of: ".").map {
          layers.contains(String(parameter.name[..<$0]))
        } ?? false
      }.map(\.name))
  }

  /// For each node how deep it lies below the outputs, counted in blocks that have parameters on the
  /// longest way: 1 for the head, most for the stem. Nodes outside of blocks form layers that begin
  /// with a convolution or a linear layer each.
  package var layerDepths: [Int] {
    var region = [Int](repeating: -1, count: nodes.count)
    for (index, block) in blocks.enumerated().sorted(by: {
      ($1.element.nodes.count, $0.offset) < ($0.element.nodes.count, $1.offset)
    }) {
      for node in block.nodes where region[node] < 0 { region[node] = index }
    }
    var next = blocks.count
    for node in nodes.indices where region[node] < 0 {
      let begins = nodes[node].operation.hasProducts
      if !begins, node > 0, region[node - 1] >= blocks.count {
        region[node] = region[node - 1]
      } else {
        region[node] = next
        next += 1
      }
    }
    let withParameters = Set(parameters.lazy.filter(\.isLearnable).map { region[$0.node] })
    // The depth of what reads each region from outside, found from the outputs upwards.
    var below = [Int](repeating: 0, count: next)
    for node in nodes.indices.reversed() {
      let own = region[node]
      let depth = below[own] + (withParameters.contains(own) ? 1 : 0)
      for input in inputIndices[node] where input >= 0 && region[input] != own {
        below[region[input]] = max(below[region[input]], depth)
      }
    }
    return region.map { below[$0] + (withParameters.contains($0) ? 1 : 0) }
  }
}
