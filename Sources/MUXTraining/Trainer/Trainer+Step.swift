// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXEvaluation
import MUXTensor
import MUXVision

extension Trainer {
  /// One optimizer step: the batches of one accumulation, forward and backward, then the update
  /// (left out where the gradients overflowed in half precision).
  func step(_ stream: BatchStream) throws {
    try thawIfDue()
    let start = ContinuousClock.now
    let rate = configuration.schedule.rate(step: state.step, base: baseRate, clock: clock)
    let batches = min(
      configuration.accumulation, data.training.batchesPerEpoch - state.batch)
    group.activity = "in step \(state.step + 1)"
    model.isTraining = true
    let own = try accumulateGradients(stream, batches: batches, rate: rate)
    let all = try agree(on: own)
    guard all.lossSum.isFinite else {
      throw try notFinite(loss: all.lossSum / Double(all.images), rate: rate)
    }
    let norm = try update(rate: rate)
    try finishStep(all, batches: batches, seconds: Seconds.since(start), rate: rate, norm: norm)
  }

  /// Forward and backward passes of the batches of a step, whose gradients add up.
  ///
  /// - Returns: What this process learned from its images.
  private func accumulateGradients(
    _ stream: BatchStream, batches: Int, rate: Double
  ) throws -> Agreement {
    try ParameterList.zeroGradients(parameters)
    var random = dropoutStream()
    try model.generator.reseed(random.next())
    var sum = Agreement(lossSum: 0, images: 0, parts: [])
    let scale = state.lossScaler?.scale ?? 1
    for place in 0..<batches {
      let asked = ContinuousClock.now
      guard let batch = try stream.next() else {
        throw TrainingError.dataEnded(epoch: state.epoch + 1, batch: state.batch)
      }
      state.waitSeconds += Seconds.since(asked)
      // All batches are of one size, so the mean over them is the mean over their images.
      let factor = scale / Double(batches) * lossShare(of: batch)
      // Gradients leave with the last batch; where several passes add up to them, after it.
      if place == batches - 1 {
        try reducer?.start(overlaps: shared == nil && !model.checkpointsActivations)
      }
      let learned = try synchronizingNorms {
        if let shared {
          try learn(from: batch, shared, place: place, factor: factor)
        } else {
          try learn(from: batch, factor: factor)
        }
      }
      guard learned.loss.isFinite || hasPartners else {
        throw try notFinite(loss: learned.loss, rate: rate)
      }
      sum.add(learned, images: batch.count)
    }
    try reducer?.finish()
    return sum
  }

  /// Moves the parameters by their gradients, unless those overflowed in half precision.
  ///
  /// - Returns: The norm of all gradients before they were cut, where the settings cut them.
  private func update(rate: Double) throws -> Double? {
    var norm: Double?
    if try unscaleGradients(rate: rate) {
      norm = try configuration.optimizer.clipGradients(of: parameters)
      if let norm, !norm.isFinite { throw try notFinite(loss: nil, rate: rate) }
      try optimizer.step(learningRate: rate)
      try averageStep()
    }
    sharedHaveChanged = true
    return norm
  }

  /// Counts a step and tells the observers about it.
  private func finishStep(
    _ learned: Agreement, batches: Int, seconds: Double, rate: Double, norm: Double?
  ) throws {
    let images = Double(learned.images)
    state.step += 1
    state.batch += batches
    state.lossSum += learned.lossSum
    state.images += learned.images
    state.epochSeconds += seconds
    sessionSteps += 1
    stepSeconds += seconds
    try announce(
      .step(
        StepReport(
          epoch: state.epoch + 1,
          stepInEpoch: (state.batch + configuration.accumulation - 1) / configuration.accumulation,
          step: state.step, loss: learned.lossSum / images,
          lossParts: learned.parts.map { LossPart(name: $0.name, value: $0.value / images) },
          meanLoss: state.lossSum / Double(state.images), learningRate: rate, gradientNorm: norm,
          imagesPerSecond: images / max(seconds, 1e-9),
          dataWait: min(state.waitSeconds / max(state.epochSeconds, 1e-9), 1),
          secondsLeft: stepSeconds / Double(sessionSteps)
            * Double(lastStep - state.step))))
  }

  /// Forward and backward pass of a batch.
  private func learn(from batch: Batch, factor: Double) throws -> LearnedBatch {
    let losses = try objective.losses(of: batch) {
      try model.outputs(of: $0, precision: configuration.precision)
    }
    let loss = losses.total
    try (factor == 1 ? loss : loss * factor).backward()
    try model.finishBackward(autocast: configuration.precision.autocast)
    // Read when the backward pass is on its way: a graphics processor would stand still in between.
    let value = try loss.item()
    guard value.isFinite || hasPartners else { return LearnedBatch(loss: value) }
    return LearnedBatch(
      loss: value,
      parts: try losses.parts.map { LossPart(name: $0.name, value: try $0.value.item()) })
  }

  /// The steps of the run when it ends.
  private var lastStep: Int {
    configuration.maxSteps > 0
      ? max(min(clock.totalSteps, configuration.maxSteps), state.step) : clock.totalSteps
  }

  /// Lets frozen parameters be trained from the epoch on at which they are due.
  private func thawIfDue() throws {
    guard let epochs = configuration.model.freezeEpochs, state.epoch >= epochs,
      !model.frozenNames.isEmpty
    else { return }
    try model.freeze([], resting: configuration.model.restingNorms(hasFrozen: false))
    guard optimizer.lateStart == nil else { return }
    optimizer.lateStart = optimizer.updates
    try announce(.notice("epoch \(state.epoch + 1): all parameters are trained from now on"))
  }

  /// Divides the gradients by the scale of the loss, where it has one.
  ///
  /// - Returns: Whether they may be used.
  private func unscaleGradients(rate: Double) throws -> Bool {
    guard let scale = state.lossScaler?.scale else { return true }
    try ParameterList.scaleGradients(parameters, by: 1 / scale)
    let isFinite = try ParameterList.gradientsAreFinite(parameters)
    state.lossScaler?.update(isFinite: isFinite)
    if state.lossScaler?.isExhausted == true { throw try notFinite(loss: nil, rate: rate) }
    return isFinite
  }

  /// Saves the state before the step that failed, and makes the error that tells where it was.
  private func notFinite(loss: Double?, rate: Double) throws -> TrainingError {
    let name = "failed-\(CheckpointStore.name(step: state.step))"
    let saved =
      try? !group.isFirst
      ? nil : writing { try store.save(try archives(), state: state, name: name) }
    let path = saved.map { store.folder(of: $0) }
    if let loss {
      return .lossNotFinite(
        loss: loss, epoch: state.epoch + 1, step: state.step + 1, learningRate: rate, saved: path)
    }
    return .gradientNotFinite(
      epoch: state.epoch + 1, step: state.step + 1, learningRate: rate, saved: path)
  }
}
