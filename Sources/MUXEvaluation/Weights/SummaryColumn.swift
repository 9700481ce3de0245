// SPDX-License-Identifier: Apache-2.0
package import MUXCore

/// The columns of a run's `summary.csv`, for the trainer that writes it and for all that read it.
package enum SummaryColumn: String, Sendable {
  case epoch, step
  case learningRate = "learning_rate"
  case trainingLoss = "train_loss"
  case imagesPerSecond = "images_per_second"
  case dataWait = "data_wait"
  case seconds, best

  /// The column of a metric on the validation images.
  package static func validation(_ metric: Metric) -> String { "val_\(metric.name)" }

  /// The same with the weights as they are, where averages of them are kept too.
  package static func rawValidation(_ metric: Metric) -> String { "raw_val_\(metric.name)" }
}
