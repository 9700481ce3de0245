// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXNetworks
import MUXTasks
import MUXTensor
import MUXTraining
import MUXVision

/// A task that the package does not have: classes in an order, such as grades, judged by how far off the
/// answer is. A network gives K − 1 outputs for K classes, the k-th of which says whether the class is
/// beyond k (Frank and Hall, 2001).
struct OrderedTask: VisionTask {
  static let name = "ordered"
  static let distance = Metric(
    "distance", label: "mean distance", unit: "classes", direction: .lower,
    format: .fixed(decimals: 3), minimum: 0)

  /// A setting of its own.
  var rounds = true

  var metrics: [Metric] { [Self.distance, .loss] }

  func check(_ dataSet: any ImageDataSet) throws {
    guard dataSet.classNames.count > 1 else {
      throw TaskError.tooFewClasses(task: Self.name, names: dataSet.classNames, example: nil)
    }
  }

  func outputCount(classes: Int) -> Int? { classes - 1 }

  func head(for network: Network, classNames: [String]) throws -> OrderedHead {
    guard network.classCount == classNames.count - 1 else {
      throw TaskError.outputCount(
        task: Self.name, network: network.name, outputs: network.classCount ?? 0,
        classes: classNames.count, expected: classNames.count - 1)
    }
    return OrderedHead(classNames: classNames, rounds: rounds)
  }
}

struct OrderedHead: TaskHead {
  let classNames: [String]
  let rounds: Bool

  private func places(_ outputs: [OutputTensor]) -> [(place: Double, logits: [Float])] {
    let width = classNames.count - 1
    return (0..<outputs[0].count).map { image in
      let logits = Array(outputs[0].values[image * width..<(image + 1) * width])
      let place = logits.reduce(0) { $0 + Sigmoid.probability(Double($1)) }
      return (rounds ? place.rounded() : place, logits)
    }
  }

  func decode(
    _ outputs: [OutputTensor], original: [ImageSize], settings: DecodingSettings
  ) throws -> [OrderedGuess] {
    places(outputs).map {
      OrderedGuess(place: $0.place, label: classNames[Int($0.place.rounded())])
    }
  }

  func makeMeter() -> OrderedMeter { OrderedMeter() }

  func measure(
    _ outputs: [OutputTensor], _ targets: [Target], original: [ImageSize],
    into meter: inout OrderedMeter
  ) throws {
    for ((place, logits), target) in zip(places(outputs), targets) {
      let label = target.classes[0]
      meter.count += 1
      meter.distance += abs(place - Double(label))
      for (index, logit) in logits.enumerated() {
        let share = Sigmoid.probability(Double(logit))
        meter.loss -= log(index < label ? share : 1 - share) / Double(logits.count)
      }
    }
  }

  var formats: [PredictionFormat<OrderedGuess>] {
    [
      PredictionFormat(name: "lines") { images in
        images.map { "\($0.path)=\($0.output.label)" }.joined(separator: "\n")
      }
    ]
  }
}

struct OrderedGuess: TaskOutput {
  var place: Double
  var label: String
  var text: String { "\(label) of the order" }
}

struct OrderedMeter: Meter {
  struct Details: Codable, Sendable { var total: Double }

  var count = 0
  var distance = 0.0
  var loss = 0.0

  mutating func merge(_ other: OrderedMeter) {
    count += other.count
    distance += other.distance
    loss += other.loss
  }

  func scores() -> Scores {
    let images = Double(max(count, 1))
    return Scores(count: count, ["distance": distance / images, "loss": loss / images])
  }

  func details() -> Details { Details(total: distance) }
  func tables() -> [ScoreTable] {
    [
      ScoreTable(
        subject: "what", columns: [OrderedTask.distance],
        rows: [.init("all", [scores()["distance"]])])
    ]
  }
}

extension OrderedTask: TrainableTask {
  func objective(_ settings: ObjectiveSettings, head: OrderedHead) throws -> any TrainingObjective {
    OrderedObjective(width: head.classNames.count - 1)
  }
}

private struct OrderedObjective: TrainingObjective {
  let width: Int

  func losses(of batch: Batch, outputs: (PixelBatch) throws -> [Tensor]) throws -> Losses {
    let logits = try outputs(batch.pixels)[0]
    let beyond = batch.targets.flatMap { target in
      (0..<width).map { Float($0 < target.classes[0] ? 1 : 0) }
    }
    let targets = try Tensor(beyond, shape: [batch.count, width])
    let loss = try logits.binaryCrossEntropy(targets)
    return Losses(loss, parts: [("order", loss)])
  }
}
