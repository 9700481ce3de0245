// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Changes that any model of the zoo, block-string file or network takes.
public struct ModelOptions: Sendable, Hashable, Codable {
  /// The number of classes, nil for the model's.
  public var classes: Int?
  /// The channels of the images, nil for the model's.
  public var inputChannels: Int?
  /// The size of the images, nil for the model's.
  public var inputSize: ImageSize?
  /// Multiplies the widths, nil for the model's.
  public var widthMultiplier: Double?
  /// The step from input to last feature map, nil for the model's (32). For images of 32×32 pixels
  /// 4 or 8 suits: strides are removed from the front.
  public var outputStride: Int?
  /// The dropout rate before the classifier, nil for the model's.
  public var dropoutRate: Double?
  /// The rate of stochastic depth, nil for the model's.
  public var dropPathRate: Double?

  /// No change unless given.
  public init(
    classes: Int? = nil, inputChannels: Int? = nil, inputSize: ImageSize? = nil,
    widthMultiplier: Double? = nil, outputStride: Int? = nil, dropoutRate: Double? = nil,
    dropPathRate: Double? = nil
  ) {
    self.classes = classes
    self.inputChannels = inputChannels
    self.inputSize = inputSize
    self.widthMultiplier = widthMultiplier
    self.outputStride = outputStride
    self.dropoutRate = dropoutRate
    self.dropPathRate = dropPathRate
  }
}

extension Architecture {
  /// The architecture with changes applied.
  public func applying(_ options: ModelOptions) -> Architecture {
    var changed = self
    if let classes = options.classes { changed.classes = classes }
    if let channels = options.inputChannels { changed.inputChannels = channels }
    if let size = options.inputSize { changed.inputSize = size }
    if let width = options.widthMultiplier { changed.widthMultiplier = width }
    if let stride = options.outputStride { changed.outputStride = stride }
    if let rate = options.dropoutRate { changed.dropoutRate = rate }
    if let rate = options.dropPathRate { changed.dropPathRate = rate }
    return changed
  }
}
