// SPDX-License-Identifier: Apache-2.0
import MUXTensor

/// Weights that many networks share: what a run trains in place of those of one network.
///
/// The run's own network is one of them; its weights are taken from the shared ones before it is evaluated
/// or saved, so that the run's folder is one as any other.
package protocol SharedWeights: AnyObject {
  /// The tensors that are trained.
  var parameters: [NamedTensor] { get }
  /// Those and the running statistics: what a checkpoint keeps.
  var namedState: [NamedTensor] { get }
  /// What is trained, in one line for people.
  var summary: String { get }
  /// What a file of them says about itself.
  var metadata: [String: String] { get }

  /// The networks that a step trains, each over its part of the tensors. The first one learns the task; the
  /// others learn from its answers.
  ///
  /// - Parameters:
  ///   - step: The optimizer step, counted from 0.
  ///   - batch: The batch of the step, counted from 0.
  func networks(step: Int, batch: Int) throws -> [SharedNetwork]
  /// Overwrites the tensors of the run's network by its part.
  func fill(_ model: NetworkModel) throws
  /// Other tensors of the same values, in which an average can be kept.
  func copied() throws -> any SharedWeights
  /// Writes what a run needs to go on beside tensors and settings.
  func write(to folder: String) throws
}

/// A network over a part of shared weights.
package struct SharedNetwork {
  package var model: NetworkModel
  /// Writes back what a pass has changed in place and is no part of the tensors themselves.
  package var finish: () throws -> Void

  /// A network, and what is due after its pass.
  package init(model: NetworkModel, finish: @escaping () throws -> Void) {
    self.model = model
    self.finish = finish
  }
}
