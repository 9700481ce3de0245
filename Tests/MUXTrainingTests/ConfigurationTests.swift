// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXTasks
import MUXTraining
import Testing

@Suite struct ConfigurationTests {
  private func decode(_ text: String) throws -> TrainingConfiguration {
    try JSONDecoder().decode(TrainingConfiguration.self, from: Data(text.utf8))
  }

  @Test("an empty file gives the defaults")
  func empty() throws {
    #expect(try decode("{}") == TrainingConfiguration())
  }

  @Test("a file changes what it names and nothing else, at any depth")
  func partial() throws {
    var expected = TrainingConfiguration()
    expected.epochs = 3
    expected.optimizer.kind = .rmspropTensorFlow
    expected.optimizer.clipNorm = 5
    expected.average.isEnabled = true
    expected.output.overwrites = true
    expected.data.source = .cifar10
    let read = try decode(
      """
      {"epochs": 3, "optimizer": {"kind": "rmspropTensorFlow", "clipNorm": 5},
       "average": {"enabled": true}, "output": {"overwrite": true},
       "data": {"source": "cifar10"}}
      """)
    #expect(read == expected)
  }

  @Test("every setting survives being written and read")
  func roundTrip() throws {
    var value = TrainingConfiguration()
    value.seed = .max
    value.precision = .bfloat16
    value.timeBudgetMinutes = 2.5
    value.model.classes = 7
    value.model.initialWeights = "weights.safetensors"
    value.augmentation.crop = .padded
    value.mixing.cutmix = 1
    value.mixing.endEpoch = 9
    value.data.mean = [0.5]
    value.data.standardDeviation = [0.25]
    value.checkpoints.metric = "loss"
    value.task = NamedTask(MultiLabel())
    let data = try JSONEncoder().encode(value)
    #expect(try JSONDecoder().decode(TrainingConfiguration.self, from: data) == value)
  }

  @Test("epsilon depends on the update rule unless it is given")
  func epsilon() {
    var optimizer = OptimizerConfiguration()
    optimizer.kind = .rmspropTensorFlow
    #expect(optimizer.resolvedEpsilon == 1e-3)
    optimizer.kind = .adamW
    #expect(optimizer.resolvedEpsilon == 1e-8)
    optimizer.epsilon = 0.5
    #expect(optimizer.resolvedEpsilon == 0.5)
  }

  @Test("the average's ramp is (1 + t)/(10 + t) until the decay is reached")
  func ramp() {
    var average = AveragingConfiguration()
    average.decay = 0.9
    #expect(average.decay(afterUpdates: 0) == 0.9)
    average.ramps = true
    #expect(average.decay(afterUpdates: 0) == 0.1)
    #expect(average.decay(afterUpdates: 8) == 0.5)
    #expect(average.decay(afterUpdates: 1000) == 0.9)
  }

  @Test(
    "each kind of nonsense is refused under its setting's name",
    arguments: [
      (#"{"epochs": 0}"#, "epochs"),
      (#"{"batchSize": -1}"#, "batchSize"),
      (#"{"timeBudgetMinutes": 0}"#, "timeBudgetMinutes"),
      (#"{"model": {"classes": 0}}"#, "model.classes"),
      (#"{"model": {"dropout": 1}}"#, "model.dropout"),
      (#"{"data": {"source": "folder", "path": null}}"#, "data.path"),
      (#"{"data": {"path": "x", "validationFraction": 1}}"#, "data.validationFraction"),
      (#"{"augmentation": {"area": [1, 0.5]}}"#, "augmentation.area"),
      (#"{"mixing": {"labelSmoothing": 1}}"#, "mixing.labelSmoothing"),
      (#"{"optimizer": {"learningRate": 0}}"#, "optimizer.learningRate"),
      (#"{"optimizer": {"nesterov": true, "momentum": 0}}"#, "optimizer.nesterov"),
      (#"{"schedule": {"warmUp": {"epochs": 101}}}"#, "schedule.warmUp.epochs"),
      (#"{"average": {"decay": 1}}"#, "average.decay"),
      (#"{"checkpoints": {"keepBest": -1}}"#, "checkpoints.keepBest"),
      (#"{"checkpoints": {"metric": "auroc"}}"#, "checkpoints.metric"),
      (#"{"output": {"name": "../x"}}"#, "output.name"),
    ])
  func validation(text: String, setting: String) throws {
    var value = try decode(text)
    if setting != "data.path" && value.data.path == nil { value.data.path = "images" }
    let error = #expect(throws: ConfigurationError.self) { try value.validate() }
    #expect(error?.setting == setting)
  }

  @Test("checkpoints are ranked by a metric of the task: its first unless another is named")
  func ranking() throws {
    var value = TrainingConfiguration()
    #expect(try value.rankingMetric == Classification.top1)
    value.checkpoints.metric = "loss"
    #expect(try value.rankingMetric == .loss)
    value.task = NamedTask(MultiLabel())
    value.checkpoints.metric = nil
    #expect(try value.rankingMetric == MultiLabel.auroc)
    value.checkpoints.metric = "top1"
    let error = #expect(throws: ConfigurationError.self) { try value.rankingMetric }
    #expect(
      error?.description
        == "checkpoints.metric is top1: the task multiLabel has auroc, averagePrecision, f1, loss")
  }
}
