// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Why a run cannot start or go on.
public enum TrainingError: Hashable, Sendable, DescribedError {
  /// The loss is not a number, or infinite. The weights are those before the step.
  case lossNotFinite(loss: Double, epoch: Int, step: Int, learningRate: Double, saved: String?)
  /// The norm of the gradients is not a number, or infinite. The weights are those before the step.
  case gradientNotFinite(epoch: Int, step: Int, learningRate: Double, saved: String?)
  /// An output for a validation image is not a number, or infinite, though the loss in training is not.
  case validationNotFinite(image: String, epoch: Int)
  /// The classes of the data are others than those of the run that goes on.
  case otherClasses(before: [String], now: [String])
  /// The images of the data are others than those of the run that goes on.
  case otherImages(path: String?, changes: [String])
  /// The weights of the teacher are others than those that the run was begun with.
  case otherTeacher(path: String)
  /// The data ended before the epoch did.
  case dataEnded(epoch: Int, batch: Int)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .lossNotFinite(let loss, let epoch, let step, let rate, let saved):
      "the loss became \(loss) in epoch \(epoch), step \(step), at learning rate \(rate)"
        + Self.remedy(saved)
    case .gradientNotFinite(let epoch, let step, let rate, let saved):
      "the gradients became infinite in epoch \(epoch), step \(step), at learning rate \(rate)"
        + Self.remedy(saved)
    case .validationNotFinite(let image, let epoch):
      "after epoch \(epoch) the network gives numbers that are infinite or not a number for \(image)"
        + Self.remedy(nil)
    case .otherClasses(let before, let now):
      "the classes of the data differ from those the run started with (before:"
        + " \(Self.list(before)); now: \(Self.list(now))); restore them, or start another run"
    case .otherImages(let path, let changes):
      "the data\(path.map { " in \($0.printable)" } ?? "") changed since the last checkpoint:"
        + " \(changes.joined(separator: "; ")); restore it, or allow other images"
    case .otherTeacher(let path):
      "the teacher \(path.printable) has other weights than when the run started; restore them, or"
        + " start another run"
    case .dataEnded(let epoch, let batch):
      "the data of epoch \(epoch) ended after \(batch) batches; was it changed during the run?"
    }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(8).map(\.printable).joined(separator: ", ")
      + (names.count > 8 ? ", … (\(names.count))" : "")
  }

  private static func remedy(_ saved: String?) -> String {
    "; lower the learning rate, warm up longer or clip the gradients"
      + (saved.map { " (the state before that step is in \($0))" } ?? "")
  }
}
