// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The order of a batch's values in memory. The shape is [N, C, H, W] in either.
public enum MemoryLayout4D: String, Sendable, Hashable, Codable, CaseIterable {
  /// Planes: N, C, H, W from the outside in.
  case channelsFirst
  /// Interleaved: N, H, W, C from the outside in.
  case channelsLast
}

/// The order of the colours in a network's input.
public enum ChannelOrder: String, Sendable, Hashable, Codable, CaseIterable {
  /// Red first.
  case rgb
  /// Blue first, as in networks of Caffe.
  case bgr
}

/// All steps from a file's picture to normalised floats.
public struct ImagePipeline: Sendable, Hashable, Codable {
  /// What whoever decodes the files does with their EXIF orientation, before everything else.
  public var orientation: OrientationHandling
  /// The steps on the image, in order.
  public var transforms: [ImageTransform]
  /// 3 (grey is repeated) or 1 (colour becomes grey).
  public var channels: Int
  /// The order of the channels that come out, in which ``mean`` and ``standardDeviation`` are given,
  /// too.
  public var channelOrder: ChannelOrder
  /// Subtracted from each channel after scaling to 0 … 1.
  public var mean: [Float]
  /// What each channel is divided by after that.
  public var standardDeviation: [Float]
  /// Random erasing, after normalisation.
  public var erasing: RandomErasing?
  /// Cutout, after normalisation.
  public var cutout: Cutout?

  /// Makes a pipeline; `mean` and `standardDeviation` have one value per channel.
  public init(
    transforms: [ImageTransform] = [], channels: Int = 3, channelOrder: ChannelOrder = .rgb,
    mean: [Float], standardDeviation: [Float], erasing: RandomErasing? = nil,
    cutout: Cutout? = nil, orientation: OrientationHandling = .applied
  ) {
    precondition(channels == 1 || channels == 3, "a pipeline gives 1 or 3 channels")
    precondition(
      mean.count == channels && standardDeviation.count == channels,
      "mean and standard deviation have one value per channel")
    self.transforms = transforms
    self.channels = channels
    self.channelOrder = channelOrder
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.erasing = erasing
    self.cutout = cutout
    self.orientation = orientation
  }

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case transforms, channels, channelOrder, mean, standardDeviation, erasing, cutout
    case orientation
  }

  /// Decodes the settings; only `mean` and `standardDeviation` are needed.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
    let mean = try values.decode([Float].self, forKey: .mean)
    let deviation = try values.decode([Float].self, forKey: .standardDeviation)
    let channels = try values.value(.channels, default: mean.count)
    guard channels == 1 || channels == 3 else {
      throw decoder.invalid("channels must be 1 or 3, not \(channels)")
    }
    guard mean.count == channels && deviation.count == channels,
      mean.allSatisfy({ $0.isFinite }), deviation.allSatisfy({ $0 > 0 && $0.isFinite })
    else {
      throw decoder.invalid(
        "mean and standardDeviation need \(channels) finite value(s) each, the latter above 0")
    }
    self.init(
      transforms: try values.value(.transforms, default: []), channels: channels,
      channelOrder: try values.value(.channelOrder, default: .rgb), mean: mean,
      standardDeviation: deviation,
      erasing: try values.decodeIfPresent(RandomErasing.self, forKey: .erasing),
      cutout: try values.decodeIfPresent(Cutout.self, forKey: .cutout),
      orientation: try values.value(.orientation, default: .applied))
  }

  /// Applies the steps on the image, all before normalisation. Of a resized image of which a part is
  /// cut out next only that part is computed.
  public func transform(_ image: Image, random: inout RandomStream) throws(ImageError) -> Image {
    var work = PictureAtWork(image)
    for step in transforms { try work.apply(step, random: &random) }
    return try work.result().converted(toChannels: channels)
  }

  /// The pipeline in two: its first steps, as long as nothing is random, and the others. What the first
  /// give can be kept; the second then give what the whole gives.
  package var preparation: (fixed: [ImageTransform], rest: ImagePipeline) {
    let fixed = Array(transforms.prefix { !$0.isRandom })
    var rest = self
    rest.transforms.removeFirst(fixed.count)
    return (fixed, rest)
  }

  /// Applies steps that draw nothing.
  package static func prepared(
    _ image: Image, by steps: [ImageTransform]
  ) throws(ImageError) -> Image {
    var work = PictureAtWork(image)
    var random = stream(seed: 0, epoch: 0, index: 0)
    for step in steps { try work.apply(step, random: &random) }
    return try work.result()
  }

  /// Applies the steps on the image, all before normalisation; boxes move with it.
  public func transform(_ sample: inout Sample, random: inout RandomStream) throws(ImageError) {
    for step in transforms { try step.apply(to: &sample, random: &random) }
    sample.image = sample.image.converted(toChannels: channels)
  }

  /// Applies everything to one image.
  /// - Parameters:
  ///   - image: The image.
  ///   - layout: The order of the values.
  ///   - random: Where the random steps take their numbers from.
  /// - Returns: The size and the values, `channels · width · height` of them.
  public func values(
    of image: Image, layout: MemoryLayout4D = .channelsFirst, random: inout RandomStream
  ) throws(ImageError) -> (size: ImageSize, values: [Float]) {
    let final = try transform(image, random: &random)
    let size = ImageSize(height: final.height, width: final.width)
    let count = size.width * size.height * channels
    let normalizer = Normalizer(self)
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, used in
      if let base = buffer.baseAddress {
        normalizer.write(final, to: base, layout: layout)
        normalizer.erase(base, size: size, layout: layout, random: &random)
      }
      used = count
    }
    return (size, values)
  }

  /// The stream of one sample: it follows from the seed, the epoch and the index alone.
  public static func stream(seed: UInt64, epoch: Int, index: Int) -> RandomStream {
    RandomStream(
      seed: seed, purpose: .augmentation, indices: UInt64(epoch), UInt64(index))
  }
}

/// The last steps of a pipeline, with the 256 results of normalisation per channel worked out.
package struct Normalizer: Sendable {
  private let channels: Int
  private let isReversed: Bool
  private let table: [Float]  // 256 a channel
  private let erasing: RandomErasing?
  private let cutout: Cutout?

  package init(_ pipeline: ImagePipeline) {
    channels = pipeline.channels
    isReversed = pipeline.channels == 3 && pipeline.channelOrder == .bgr
    table = (0..<pipeline.channels).flatMap { channel in
      (0...255).map {
        (Float($0) / 255 - pipeline.mean[channel]) / pipeline.standardDeviation[channel]
      }
    }
    erasing = pipeline.erasing
    cutout = pipeline.cutout
  }

  /// Writes the normalised values of an image with the pipeline's number of channels.
  package func write(
    _ image: Image, to target: UnsafeMutablePointer<Float>, layout: MemoryLayout4D
  ) {
    let count = image.width * image.height
    table.withUnsafeBufferPointer { table in
      guard let red = table.baseAddress else { return }
      image.withPixels { source in
        guard channels == 3 else {
          for i in 0..<count { target[i] = red[Int(source[i])] }
          return
        }
        // The first, second and third channel, whatever they are called.
        let green = red + 256
        let blue = red + 512
        let source0 = isReversed ? source + 2 : source, source2 = isReversed ? source : source + 2
        switch layout {
        case .channelsFirst:
          let second = target + count
          let third = second + count
          for i in 0..<count {
            target[i] = red[Int(source0[3 &* i])]
            second[i] = green[Int(source[3 &* i &+ 1])]
            third[i] = blue[Int(source2[3 &* i])]
          }
        case .channelsLast:
          for i in 0..<count {
            target[3 &* i] = red[Int(source0[3 &* i])]
            target[3 &* i &+ 1] = green[Int(source[3 &* i &+ 1])]
            target[3 &* i &+ 2] = blue[Int(source2[3 &* i])]
          }
        }
      }
    }
  }

  /// Applies random erasing and cutout to normalised values.
  package func erase(
    _ values: UnsafeMutablePointer<Float>, size: ImageSize, layout: MemoryLayout4D,
    random: inout RandomStream
  ) {
    if let erasing,
      let part = erasing.rectangle(width: size.width, height: size.height, random: &random)
    {
      wipe(
        values, size: size, layout: layout, part: part, noise: erasing.fill == .pixel,
        random: &random)
    }
    if let cutout {
      let part = cutout.rectangle(width: size.width, height: size.height, random: &random)
      wipe(values, size: size, layout: layout, part: part, noise: false, random: &random)
    }
  }

  private func wipe(
    _ values: UnsafeMutablePointer<Float>, size: ImageSize, layout: MemoryLayout4D,
    part: PixelRectangle, noise: Bool, random: inout RandomStream
  ) {
    // Channel by channel in either layout, so that the layout does not change what is drawn.
    let isLast = layout == .channelsLast
    let step = isLast ? channels : 1
    for channel in 0..<channels {
      let plane = values + (isLast ? channel : channel * size.width * size.height)
      for y in part.y..<(part.y + part.height) {
        for x in part.x..<(part.x + part.width) {
          plane[(y * size.width + x) * step] = noise ? Float(random.normal()) : 0
        }
      }
    }
  }
}
