// SPDX-License-Identifier: Apache-2.0
public import CMUXRuntime
internal import MUXImages
internal import MUXRuntime
internal import MUXTasks

/// The most likely classes of an image.
@c @implementation
public func mux_classify(
  _ model: mux_model, _ image: UnsafePointer<mux_image>?, _ count: Int32,
  _ guesses: UnsafeMutablePointer<mux_guess>?, _ found: UnsafeMutablePointer<Int32>?
) -> Int32 {
  call {
    let model = try MUXRuntimeC.model(model)
    guard let guesses else { throw CallError.null("guesses") }
    guard let found else { throw CallError.null("found") }
    let picture = try picture(image)
    let classes = try model.withEngine { try $0.classify(picture, top: Int(count)) }
    for (place, guess) in classes.enumerated() {
      guesses[place] = mux_guess(
        index: Int32(clamping: guess.index), probability: Float(guess.probability))
    }
    found.pointee = Int32(clamping: classes.count)
  }
}

/// The things in an image.
@c @implementation
public func mux_detect(
  _ model: mux_model, _ image: UnsafePointer<mux_image>?, _ threshold: Double, _ count: Int32,
  _ boxes: UnsafeMutablePointer<mux_box>?, _ found: UnsafeMutablePointer<Int32>?
) -> Int32 {
  call {
    let model = try MUXRuntimeC.model(model)
    guard let boxes else { throw CallError.null("boxes") }
    guard let found else { throw CallError.null("found") }
    guard count >= 0 else {
      throw CallError(MUX_ERROR_ARGUMENT, "there are no \(count) things; ask for 0 or more")
    }
    guard threshold <= 1 else {
      throw CallError(MUX_ERROR_ARGUMENT, "no probability is at least \(threshold); give 0 to 1")
    }
    let picture = try picture(image)
    let things = try model.withEngine {
      try $0.detect(
        picture, settings: DecodingSettings(threshold: threshold < 0 ? nil : threshold))
    }.boxes.prefix(Int(count))
    for (place, thing) in things.enumerated() {
      boxes[place] = mux_box(
        index: Int32(clamping: thing.index), probability: Float(thing.probability),
        left: Float(thing.left), top: Float(thing.top), right: Float(thing.right),
        bottom: Float(thing.bottom))
    }
    found.pointee = Int32(clamping: things.count)
  }
}

/// An image's features.
@c @implementation
public func mux_features(
  _ model: mux_model, _ image: UnsafePointer<mux_image>?,
  _ features: UnsafeMutablePointer<Float>?, _ count: Int
) -> Int32 {
  call {
    let model = try MUXRuntimeC.model(model)
    guard let features else { throw CallError.null("features") }
    let picture = try picture(image)
    let expected = model.plan.featureCount ?? count
    guard count == expected else { throw CallError.size("features", count, expected) }
    try copy(try model.withEngine { try $0.features(of: picture) }, to: features)
  }
}

/// The image as the network takes it.
@c @implementation
public func mux_prepare(
  _ model: mux_model, _ image: UnsafePointer<mux_image>?, _ pixels: UnsafeMutablePointer<Float>?,
  _ count: Int
) -> Int32 {
  call {
    let model = try MUXRuntimeC.model(model)
    guard let pixels else { throw CallError.null("pixels") }
    let picture = try picture(image)
    let expected = model.plan.inputShape.count
    guard count == expected else { throw CallError.size("pixels", count, expected) }
    try copy(try model.plan.pixels(of: picture), to: pixels)
  }
}

/// The network's outputs.
@c @implementation
public func mux_run(
  _ model: mux_model, _ pixels: UnsafePointer<Float>?, _ pixel_count: Int,
  _ outputs: UnsafeMutablePointer<Float>?, _ output_count: Int
) -> Int32 {
  call {
    let model = try MUXRuntimeC.model(model)
    guard let pixels else { throw CallError.null("pixels") }
    guard let outputs else { throw CallError.null("outputs") }
    let expected = model.plan.outputShape.count
    guard output_count == expected else {
      throw CallError.size("outputs", output_count, expected)
    }
    guard pixel_count == model.plan.inputShape.count else {
      throw CallError.size("pixels", pixel_count, model.plan.inputShape.count)
    }
    let values = Array(UnsafeBufferPointer(start: pixels, count: pixel_count))
    try copy(try model.withEngine { try $0.run(values) }, to: outputs)
  }
}

/// Writes all numbers once they are known.
private func copy(_ values: [Float], to target: UnsafeMutablePointer<Float>) throws {
  values.withUnsafeBufferPointer { values in
    if let start = values.baseAddress { target.update(from: start, count: values.count) }
  }
}

/// The image of a caller's bytes, which are copied.
private func picture(_ image: UnsafePointer<mux_image>?) throws -> Image {
  guard let image = image?.pointee else { throw CallError.null("image") }
  guard let bytes = image.bytes else { throw CallError.null("image.bytes") }
  // A size_t beyond what Swift counts arrives below 0.
  guard image.size >= 0 else {
    throw CallError(
      MUX_ERROR_SIZE, "'image.size' is no size of memory; give the bytes of the image's pixels")
  }
  let buffer = UnsafeBufferPointer(start: bytes, count: image.size)
  let (width, height) = (Int(image.width), Int(image.height))
  let stride = image.bytes_per_row == 0 ? nil : Int(image.bytes_per_row)
  let formats = [
    MUX_RGB: PixelFormat.rgb, MUX_BGR: .bgr, MUX_RGBA: .rgba, MUX_BGRA: .bgra, MUX_ARGB: .argb,
    MUX_GREY: .grey,
  ]
  do {
    if let format = formats[Int(image.format)] {
      return try Image(
        width: width, height: height, format: format, bytesPerRow: stride, bytes: buffer)
    }
    guard image.format == Int32(MUX_NV12) else {
      throw CallError(
        MUX_ERROR_ARGUMENT, "there is no pixel format \(image.format); give one of the header's")
    }
    return try Image(width: width, height: height, nv12: buffer, bytesPerRow: stride)
  } catch let error as ImageError {
    throw CallError(MUX_ERROR_SIZE, error.description)
  }
}
