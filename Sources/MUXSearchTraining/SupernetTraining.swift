// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXSearch
import MUXStudies
import MUXTasks
package import MUXTensor
package import MUXTraining

/// Trains the weights that the networks of a search space share: an ordinary run, whose network is the
/// largest one, with `supernet.safetensors` and `space.yaml` beside.
package enum SupernetTraining {
  /// Prepares a new run of settings that name a space.
  ///
  /// - Parameters:
  ///   - configuration: Every setting; `supernet.space` is the space.
  ///   - observers: Told of everything that happens.
  ///   - group: The processes that train together.
  /// - Throws: An error of the settings, the space or the data.
  package static func trainer(
    _ configuration: TrainingConfiguration, observers: [any TrainingObserver] = [],
    group: ProcessGroup = .single
  ) throws -> Trainer {
    try configuration.validate()
    var configuration = configuration
    guard let name = configuration.supernet.space else {
      throw ConfigurationError(
        setting: "supernet.space", value: "none",
        expected:
          "name the search space: \(NetworkSpace.shipped.joined(separator: ", ")), or a file")
    }
    // Whoever evaluates networks with it may be elsewhere.
    configuration.data.path = configuration.data.path.map(TrainingEvaluator.absolute)
    configuration.data = try configuration.data.resolved().settings
    try TrainingEvaluator.requireValidation(configuration)
    var space = try NetworkSpace.resolve(name)
    let limits = configuration.supernet
    space.constraints.maximumParameters =
      limits.maximumParameters ?? space.constraints.maximumParameters
    space.constraints.maximumMultiplyAdds =
      limits.maximumMultiplyAdds ?? space.constraints.maximumMultiplyAdds
    let classes = try configuration.data.open(.training).classNames.count
    space.classes = configuration.task.task.outputCount(classes: classes) ?? classes
    let sharing = try WeightSharing(space, widths: .init(limits.widths))
    let ends = try sharing.ends()
    return try Trainer(
      configuration,
      network: sharing.network(ends.largest, name: "\(space.name)_supernet"),
      sharing: try tensors(sharing, ends, configuration), observers: observers, group: group)
  }

  /// Prepares to go on with a run exactly where its last checkpoint was made; also with an ordinary one.
  ///
  /// - Parameters:
  ///   - path: The run's folder.
  ///   - observers: Told of everything that happens from now on.
  ///   - allowsOtherImages: Whether the run may go on where images were added, removed or replaced.
  ///   - group: The processes that train together.
  ///   - adjust: May change what `Trainer` allows to change.
  package static func trainer(
    resuming path: String, observers: [any TrainingObserver] = [],
    allowsOtherImages: Bool = false, group: ProcessGroup = .single,
    adjust: (inout TrainingConfiguration) -> Void = { _ in }
  ) throws -> Trainer {
    try Trainer(
      resuming: path,
      sharing: { configuration, folder in
        let space = try NetworkSpace.read(URL(filePath: folder.space))
        let sharing = try WeightSharing(space, widths: .init(configuration.supernet.widths))
        return try tensors(sharing, try sharing.ends(), configuration)
      }, observers: observers, allowsOtherImages: allowsOtherImages, group: group,
      adjust: adjust)
  }

  private static func tensors(
    _ sharing: WeightSharing, _ ends: WeightSharing.Ends, _ configuration: TrainingConfiguration
  ) throws -> SupernetTensors {
    let device = try Device(name: configuration.device)
    try device.requireAvailable()
    return try SupernetTensors(
      sharing, ends: ends, settings: configuration.supernet, seed: configuration.seed,
      device: device)
  }
}

extension WeightSharing.Widths {
  /// What the settings of a training say.
  init(_ widths: SupernetConfiguration.Widths) {
    switch widths {
    case .shared: self = .shared
    case .own: self = .own
    }
  }
}
