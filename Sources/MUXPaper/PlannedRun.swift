// SPDX-License-Identifier: Apache-2.0
package import MUXCore
package import MUXNetworks
import MUXTasks

/// A row of one of the paper's tables that a training can fill.
package struct PlannedRun: Sendable, Hashable {
  /// The network in the zoo, which also names the row.
  package var model: String
  /// What the paper calls the row.
  package var title: String
  /// The recipe by which it is trained.
  package var recipe: String
  /// The network whose ImageNet weights it starts from.
  package var backbone: String
  /// The metric that fills the table.
  package var metric: Metric
  /// Multiply-adds of one image, and parameters.
  package var costs: CostReport
}

extension ExhibitName {
  /// The metric of the accuracies that it shows, where it shows any: of trainings for it and of `results/`.
  var metric: Metric {
    switch self {
    // The challenge of 2007, whose images these are, asks for the precision at eleven recalls.
    case .table2: Detection.elevenPointPrecision
    case .table4: MultiLabel.auroc
    case .table1, .table3, .figure1, .figure2, .figure6, .figure7, .figure8, .figure9:
      Classification.top1
    }
  }

  /// The rows that trainings can fill, from the top; none where there are no such rows.
  package func plannedRuns() throws -> [PlannedRun] {
    switch self {
    case .table2:
      try Self.plan(QuotedTables.table2, classes: nil, metric: metric) { model in
        let parts = model.split(separator: "_", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        return (parts[0] == "ssdlite" ? "voc_ssdlite" : "voc_ssd", String(parts[1]))
      }
    case .table4:
      try Self.plan(QuotedTables.table4, classes: 14, metric: metric) { model in
        (model.hasPrefix("muxnet") ? "chestxray14_muxnet" : "chestxray14_chexnet", model)
      }
    case .table1, .table3, .figure1, .figure2, .figure6, .figure7, .figure8, .figure9: []
    }
  }

  private static func plan(
    _ rows: [QuotedTables.Row], classes: Int?, metric: Metric,
    recipe: (String) -> (name: String, backbone: String)?
  ) throws -> [PlannedRun] {
    try rows.compactMap { row in
      guard let entry = ModelZoo.entries.first(where: { $0.name == row.model }),
        let recipe = recipe(row.model)
      else { return nil }
      return PlannedRun(
        model: row.model, title: row.network, recipe: recipe.name, backbone: recipe.backbone,
        metric: metric,
        costs: try CostReport(try entry.network(ModelOptions(classes: classes))))
    }
  }
}

/// What a row of a table came to in a training for it.
package struct TableRun: Sendable, Hashable {
  /// The network in the zoo.
  package var model: String
  /// A share from 0 to 1; nil where the metric is undefined.
  package var value: Double?
  /// The command that trained it.
  package var command: String
  /// What it was measured on, and anything that keeps it from being compared with the paper.
  package var note: String

  package init(model: String, value: Double?, command: String, note: String) {
    self.model = model
    self.value = value
    self.command = command
    self.note = note
  }
}

/// How long trainings take, by arithmetic: forward and backward pass are three times the multiply-adds of
/// the forward pass alone.
package struct TrainingCost: Sendable, Hashable {
  /// Multiply-adds of the whole training.
  package var multiplyAdds: Double

  /// The cost of so many epochs of so many images.
  package init(multiplyAdds: Int, images: Int, epochs: Int) {
    self.multiplyAdds = 3 * Double(multiplyAdds) * Double(images) * Double(epochs)
  }

  /// Hours of training at a speed in multiply-adds per second.
  package func hours(perSecond speed: Double) -> Double { multiplyAdds / speed / 3600 }

  /// Multiply-adds a second of two CPU cores: MUXNet-m trained at 0.476 s a step of 32 images of 224×224.
  package static let twoCores = 44e9
  /// An assumption for one GPU of a data centre, far below its peak, since small networks do not fill it.
  package static let gpu = 5e12
}
