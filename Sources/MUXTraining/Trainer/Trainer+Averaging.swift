// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXNetworks
import MUXTensor

extension Trainer {
  /// Takes the weights after a step into an exponential average.
  func averageStep() throws {
    guard let average else { return }
    let settings = configuration.average
    if state.epoch < settings.startEpoch {
      try average.restart()
    } else if settings.kind == .ema {
      try average.update()
    }
  }

  /// Takes the weights at the end of an epoch (counted from 1) into a plain mean, once.
  func averageEpoch(_ epoch: Int) throws {
    guard let average, configuration.average.kind == .swa, state.averagedEpochs < epoch else {
      return
    }
    if epoch > configuration.average.startEpoch { try average.update() }
    state.averagedEpochs = epoch
  }

  /// Gives a plain mean of weights, whose layers no batch has passed together, statistics of its own:
  /// the mean over batches of training images, as they are in the epoch under way.
  func measureAveragedStatistics() throws {
    guard configuration.average.kind == .swa, shared == nil,
      configuration.model.restingNorms(hasFrozen: false) == .none,
      let model = averagedModel, let average,
      average.updates > 0
    else { return }
    let batches = min(configuration.average.statisticsBatches, data.training.batchesPerEpoch)
    try measureStatistics(of: model, batches: batches)
  }

  /// Replaces the statistics of a network by the means over batches of training images, as they are in the
  /// epoch under way.
  func measureStatistics(of model: NetworkModel, batches: Int) throws {
    let epoch = min(state.epoch, configuration.epochs - 1)
    let stream = try data.training.epoch(epoch)
    defer { stream.cancel() }
    var random = dropoutStream()
    try model.generator.reseed(random.next())
    try synchronizingNorms {
      try model.measureStatistics(batches) {
        // Several processes go on to where they can agree to stop.
        if !hasPartners, let signal = stop.requested { throw EvaluationInterrupted(signal: signal) }
        guard let batch = try stream.next() else { return false }
        _ = try model.outputs(of: batch.pixels, precision: configuration.precision)
        return true
      }
    }
    try averageStatistics(of: model)
  }
}

extension NetworkModel {
  /// Replaces the running statistics of all batch norms by their means over some batches.
  ///
  /// - Parameters:
  ///   - count: The most batches.
  ///   - pass: Runs the network on the next batch, and says whether there was one.
  func measureStatistics(_ count: Int, pass: () throws -> Bool) throws {
    // A pass leaves (1 − m)·old + m·batch behind: with zeros before it, m times what it measured.
    var norms: [(tensors: [Tensor], momentum: Double)] = []
    var counters: [(tensor: Tensor, before: Tensor)] = []
    for (index, node) in network.nodes.enumerated() {
      guard case .batchNormalization(let settings) = node.operation else { continue }
      let own = tensors(ofNode: index)
      norms.append((Array(own[2...3]), settings.momentum))
      counters.append((own[4], try own[4].clone()))
    }
    try withoutGradient {
      // The passes are none of the training's, also where they are broken off.
      defer { for counter in counters { try? counter.tensor.copyInPlace(from: counter.before) } }
      let sums = try norms.map { try $0.tensors.map { try $0.filled(0) } }
      let wasTraining = isTraining
      isTraining = true
      defer { isTraining = wasTraining }
      var passes = 0
      while passes < count {
        for norm in norms { for tensor in norm.tensors { try tensor.zeroInPlace() } }
        guard try pass() else { break }
        for (norm, own) in zip(norms, sums) {
          for (tensor, sum) in zip(norm.tensors, own) { try sum.addInPlace(tensor) }
        }
        passes += 1
      }
      for (norm, own) in zip(norms, sums) {
        for (tensor, sum) in zip(norm.tensors, own) {
          try sum.multiplyInPlace(1 / (norm.momentum * Double(max(passes, 1))))
          try tensor.copyInPlace(from: sum)
        }
      }
    }
  }
}
