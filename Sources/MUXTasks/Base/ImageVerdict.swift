// SPDX-License-Identifier: Apache-2.0
public import MUXImages

/// What is said about one image beside what is true of it.
public struct ImageVerdict: Sendable, Hashable {
  /// How wrong it is: the loss of the image, or another number that grows with the faults.
  public var loss: Double
  /// Whether something is wrong at all.
  public var isWrong: Bool
  /// What is true, in a few words.
  public var truth: String
  /// What the network says, in a few words.
  public var said: String
  /// The place of the class among the outputs that the verdict turns on; nil where there is no such one.
  public var outputIndex: Int?
  /// What can be drawn into the image as it was before it was prepared; nil where nothing has a place.
  public var boxes: [DrawnBox]?

  /// A verdict.
  public init(
    loss: Double, isWrong: Bool, truth: String, said: String, outputIndex: Int? = nil,
    boxes: [DrawnBox]? = nil
  ) {
    self.loss = loss
    self.isWrong = isWrong
    self.truth = truth
    self.said = said
    self.outputIndex = outputIndex
    self.boxes = boxes
  }

  /// A share of 1 in whole percent.
  static func percent(_ share: Double) -> String {
    share.isFinite ? "\(Int((100 * share).rounded())) %" : "–"
  }
}
