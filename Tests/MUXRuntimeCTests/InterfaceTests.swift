// SPDX-License-Identifier: Apache-2.0
import CMUXRuntime
import Foundation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXRuntimeC
import MUXTestSupport
import MUXWeights
import Testing

/// The C interface as a C program calls it.
@Suite("C interface", .tags(.waits), .endsSometime)
struct InterfaceTests {
  private static let names = ["cat", "Öl “x”", "", "a\nb", "fünf"]

  private static func write(_ folder: TemporaryFolder, classNames: [String]? = names) throws
    -> String
  {
    var builder = NetworkBuilder(name: "small", inputSize: ImageSize(16))
    var x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2, hasBias: true)
    x = builder.activation(x, "act", .relu)
    _ = builder.classify(x, classes: 5)
    let network = try builder.build()
    try PackedModel.write(
      network, weights: RandomWeights.archive(network, seed: 1), classNames: classNames,
      to: folder("m.muxnet"))
    return folder("m.muxnet")
  }

  private static func open(_ path: String, threads: Int32 = 1) throws -> mux_model {
    var model: mux_model = 0
    try #require(mux_model_open(path, threads, &model) == Int32(MUX_OK), "\(error)")
    return model
  }

  private static var error: String { String(cString: mux_last_error()) }

  private static let width = 20, height = 11
  private static let bytes = (0..<20 * 11 * 4).map { UInt8(truncatingIfNeeded: $0 &* 37) }

  /// Calls a function with an image of the bytes.
  private static func withImage<Value>(
    format: Int = MUX_RGB, size: Int? = nil, width: Int = width, height: Int = height,
    stride: Int64 = 0, _ body: (UnsafePointer<mux_image>) throws -> Value
  ) rethrows -> Value {
    try bytes.withUnsafeBufferPointer { buffer in
      var image = mux_image(
        bytes: buffer.baseAddress, size: size ?? width * height * 3, width: Int32(width),
        height: Int32(height), format: Int32(format), bytes_per_row: stride)
      return try body(&image)
    }
  }

  @Test("Everything gives what the runtime gives")
  func agreement() throws {
    let folder = try TemporaryFolder()
    let path = try Self.write(folder)
    let model = try Self.open(path, threads: 2)
    let engine = try InferenceEngine(InferencePlan(model: path))
    let image = try Image(
      width: Self.width, height: Self.height, bytes: Self.bytes.prefix(Self.width * Self.height * 3)
    )
    #expect(mux_runtime_version() == 1)
    var info = mux_model_info()
    #expect(mux_model_describe(model, &info) == Int32(MUX_OK))
    #expect(info.channels == 3 && info.height == 16 && info.width == 16 && info.outputs == 5)
    #expect(info.classes == 5 && info.is_detector == 0)
    #expect(Int(info.features) == engine.plan.featureCount)
    for (index, name) in Self.names.enumerated() {
      var text = [CChar](repeating: 1, count: 64)
      #expect(mux_class_name(model, Int32(index), &text, 64) == Int32(MUX_OK))
      #expect(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self) == name)
    }
    let expected = try engine.classify(image)
    var guesses = [mux_guess](repeating: mux_guess(), count: 7)
    var found: Int32 = -1
    #expect(Self.withImage { mux_classify(model, $0, 7, &guesses, &found) } == Int32(MUX_OK))
    #expect(found == 5 && guesses.prefix(5).map { Int($0.index) } == expected.map(\.index))
    #expect(guesses.prefix(5).map(\.probability) == expected.map { Float($0.probability) })
    #expect(Self.withImage { mux_classify(model, $0, 2, &guesses, &found) } == Int32(MUX_OK))
    #expect(found == 2)
    var features = [Float](repeating: .nan, count: Int(info.features))
    let features0 = features.count
    #expect(Self.withImage { mux_features(model, $0, &features, features0) } == Int32(MUX_OK))
    #expect(try features == engine.features(of: image))
    var pixels = [Float](repeating: .nan, count: 3 * 16 * 16)
    #expect(Self.withImage { mux_prepare(model, $0, &pixels, 768) } == Int32(MUX_OK))
    #expect(try pixels == engine.plan.pixels(of: image))
    var outputs = [Float](repeating: .nan, count: 5)
    #expect(mux_run(model, pixels, 768, &outputs, 5) == Int32(MUX_OK))
    #expect(try outputs == engine.run(pixels))
    #expect(mux_model_close(model) == Int32(MUX_OK))
  }

  @Test("Pixel formats and strides are those of images")
  func formats() throws {
    let folder = try TemporaryFolder()
    let path = try Self.write(folder)
    let model = try Self.open(path)
    let engine = try InferenceEngine(InferencePlan(model: path))
    let formats: [(Int, PixelFormat)] = [
      (MUX_RGB, .rgb), (MUX_BGR, .bgr), (MUX_RGBA, .rgba), (MUX_BGRA, .bgra), (MUX_ARGB, .argb),
      (MUX_GREY, .grey),
    ]
    var guesses = [mux_guess](repeating: mux_guess(), count: 5)
    var found: Int32 = 0
    for (number, format) in formats {
      let row = 18 * format.bytesPerPixel
      let image = try Image(
        width: 18, height: 9, format: format, bytesPerRow: row + 5, bytes: Self.bytes)
      let status = Self.withImage(
        format: number, size: Self.bytes.count, width: 18, height: 9, stride: Int64(row + 5)
      ) { mux_classify(model, $0, 5, &guesses, &found) }
      #expect(status == Int32(MUX_OK), "\(Self.error)")
      #expect(try guesses.map { Int($0.index) } == engine.classify(image).map(\.index))
    }
    let nv12 = try Image(width: 18, height: 10, nv12: Self.bytes.prefix(18 * 15))
    #expect(
      Self.withImage(format: MUX_NV12, size: 18 * 15, width: 18, height: 10) {
        mux_classify(model, $0, 5, &guesses, &found)
      } == Int32(MUX_OK))
    #expect(try guesses.map { Int($0.index) } == engine.classify(nv12).map(\.index))
    #expect(mux_model_close(model) == Int32(MUX_OK))
  }

  @Test("A detector gives boxes")
  func boxes() throws {
    let folder = try TemporaryFolder()
    let network = try ModelZoo.network(
      named: "ssdlite_muxnet_m", options: ModelOptions(classes: 4, inputSize: ImageSize(96)))
    let packed = try PackedModel.pack(
      CheckedWeights(RandomWeights.archive(network, seed: 3), for: network), classNames: nil,
      task: "detection", taskSettings: nil, pipeline: nil, lanes: nil)
    let path = try folder.write("d.muxnet", packed.bytes)
    let model = try Self.open(path)
    var info = mux_model_info()
    #expect(mux_model_describe(model, &info) == Int32(MUX_OK))
    #expect(info.is_detector == 1 && info.features == 0 && info.classes == 0)
    let image = try Image(
      width: Self.width, height: Self.height, bytes: Self.bytes.prefix(Self.width * Self.height * 3)
    )
    let expected = try InferenceEngine(InferencePlan(model: path)).detect(
      image, settings: .init(threshold: 0)
    ).boxes.prefix(9)
    var boxes = [mux_box](repeating: mux_box(), count: 9)
    var found: Int32 = -1
    #expect(Self.withImage { mux_detect(model, $0, 0, 9, &boxes, &found) } == Int32(MUX_OK))
    #expect(Int(found) == expected.count && found > 0)
    for (box, thing) in zip(boxes, expected) {
      #expect(Int(box.index) == thing.index && box.probability == Float(thing.probability))
      #expect(box.left == Float(thing.left) && box.bottom == Float(thing.bottom))
    }
    #expect(Self.withImage { mux_detect(model, $0, -1, 9, &boxes, &found) } == Int32(MUX_OK))
    var guess = mux_guess()
    #expect(
      Self.withImage { mux_classify(model, $0, 1, &guess, &found) } == Int32(MUX_ERROR_TASK))
    #expect(Self.error.contains("not for classification") || Self.error.contains("does not give"))
    var feature: Float = 0
    #expect(Self.withImage { mux_features(model, $0, &feature, 1) } == Int32(MUX_ERROR_TASK))
    #expect(mux_model_close(model) == Int32(MUX_OK))
  }

  @Test("Null pointers, closed models and buffers of another size are statuses with a line")
  func misuse() throws {
    let folder = try TemporaryFolder()
    let model = try Self.open(Self.write(folder))
    func expect(_ status: Int32, _ expected: Int, _ words: String, at line: Int = #line) {
      #expect(status == Int32(expected), "line \(line)")
      #expect(Self.error.contains(words), "line \(line): \(Self.error)")
      #expect(!Self.error.contains("\n"))
    }
    var number: mux_model = 77
    var info = mux_model_info()
    var guesses = [mux_guess](repeating: mux_guess(index: 9, probability: 9), count: 5)
    var boxes = [mux_box](repeating: mux_box(), count: 5)
    var found: Int32 = 42
    var name = [CChar](repeating: 7, count: 8)
    var numbers = [Float](repeating: 3, count: 768)

    // Null pointers.
    expect(mux_model_open(nil, 1, &number), MUX_ERROR_ARGUMENT, "'path' is null")
    expect(mux_model_open("m", 1, nil), MUX_ERROR_ARGUMENT, "'model' is null")
    expect(mux_model_describe(model, nil), MUX_ERROR_ARGUMENT, "'info' is null")
    expect(mux_class_name(model, 0, nil, 8), MUX_ERROR_ARGUMENT, "'name' is null")
    expect(mux_classify(model, nil, 5, &guesses, &found), MUX_ERROR_ARGUMENT, "'image' is null")
    expect(mux_run(model, nil, 768, &numbers, 5), MUX_ERROR_ARGUMENT, "'pixels' is null")
    expect(mux_run(model, numbers, 768, nil, 5), MUX_ERROR_ARGUMENT, "'outputs' is null")
    Self.withImage { image in
      expect(mux_classify(model, image, 5, nil, &found), MUX_ERROR_ARGUMENT, "'guesses'")
      expect(mux_classify(model, image, 5, &guesses, nil), MUX_ERROR_ARGUMENT, "'found'")
      expect(mux_detect(model, image, 0, 5, nil, &found), MUX_ERROR_ARGUMENT, "'boxes'")
      expect(mux_detect(model, image, 0, 5, &boxes, nil), MUX_ERROR_ARGUMENT, "'found'")
      expect(mux_features(model, image, nil, 8), MUX_ERROR_ARGUMENT, "'features'")
      expect(mux_prepare(model, image, nil, 768), MUX_ERROR_ARGUMENT, "'pixels'")
    }
    var empty = mux_image()
    expect(
      mux_classify(model, &empty, 5, &guesses, &found), MUX_ERROR_ARGUMENT, "'image.bytes' is null")

    // Files and numbers.
    expect(mux_model_open(folder("none"), 1, &number), MUX_ERROR_FILE, "No such file")
    let odd = [47, 0xff, 0].map { CChar(truncatingIfNeeded: $0) }
    expect(mux_model_open(odd, 1, &number), MUX_ERROR_ARGUMENT, "'path' is not UTF-8")
    let text = try folder.write("text", Array("hello".utf8))
    expect(mux_model_open(text, 1, &number), MUX_ERROR_FILE, "text")
    expect(mux_model_open(folder("m.muxnet"), 0, &number), MUX_ERROR_ARGUMENT, "0 threads")
    expect(mux_model_open(folder("m.muxnet"), -5, &number), MUX_ERROR_ARGUMENT, "-5 threads")
    #expect(number == 77)
    expect(mux_class_name(model, -1, &name, 8), MUX_ERROR_ARGUMENT, "no class -1")
    expect(mux_class_name(model, 5, &name, 8), MUX_ERROR_ARGUMENT, "no class 5")
    expect(mux_class_name(model, 1, &name, 8), MUX_ERROR_SIZE, "takes")
    expect(mux_class_name(model, 0, &name, 3), MUX_ERROR_SIZE, "takes 4 bytes")
    expect(mux_class_name(model, 0, &name, 0), MUX_ERROR_SIZE, "takes 4 bytes")
    #expect(name.allSatisfy { $0 == 7 })

    // Buffers of another size, and images that are none.
    expect(mux_run(model, numbers, 767, &numbers, 5), MUX_ERROR_SIZE, "there are 768")
    expect(mux_run(model, numbers, 768, &numbers, 6), MUX_ERROR_SIZE, "there are 5")
    for (size, width, height, stride) in [
      (659, 20, 11, 0), (0, 20, 11, 0), (-1, 20, 11, 0), (.min, 20, 11, 0), (660, 0, 11, 0),
      (660, 20, -11, 0), (660, 20, 11, 59),
      (660, 20, 11, -60), (660, Int(Int32.max), Int(Int32.max), 0),
      (660, 20, 11, Int64.max), (660, 20, 11, .min),
    ] as [(Int, Int, Int, Int64)] {
      Self.withImage(size: size, width: width, height: height, stride: stride) {
        expect(mux_classify(model, $0, 5, &guesses, &found), MUX_ERROR_SIZE, "pixels")
        expect(mux_prepare(model, $0, &numbers, 768), MUX_ERROR_SIZE, "pixels")
      }
    }
    for format in [-1, 7, Int(Int32.min)] {
      Self.withImage(format: format) {
        expect(
          mux_classify(model, $0, 5, &guesses, &found), MUX_ERROR_ARGUMENT, "no pixel format")
      }
    }
    Self.withImage { image in
      expect(mux_classify(model, image, -1, &guesses, &found), MUX_ERROR_ARGUMENT, "-1")
      expect(mux_features(model, image, &numbers, 7), MUX_ERROR_SIZE, "there are 8")
      expect(mux_prepare(model, image, &numbers, 767), MUX_ERROR_SIZE, "there are 768")
      expect(mux_detect(model, image, 0, -1, &boxes, &found), MUX_ERROR_ARGUMENT, "-1")
      for threshold in [2, .infinity, .nan] as [Double] {
        expect(mux_detect(model, image, threshold, 1, &boxes, &found), MUX_ERROR_ARGUMENT, "0 to 1")
      }
      expect(mux_detect(model, image, 0, 1, &boxes, &found), MUX_ERROR_TASK, "not for detection")
    }
    numbers[3] = .nan
    expect(mux_run(model, numbers, 768, &numbers, 5), MUX_ERROR_IMAGE, "not a number")
    // Nothing was written.
    #expect(found == 42 && guesses.allSatisfy { $0.index == 9 && $0.probability == 9 })

    // Closed models.
    #expect(mux_model_close(model) == Int32(MUX_OK))
    for number in [model, 0, .max] {
      expect(mux_model_close(number), MUX_ERROR_MODEL, "no open model \(number)")
      expect(mux_model_describe(number, &info), MUX_ERROR_MODEL, "no open model")
      expect(mux_class_name(number, 0, &name, 8), MUX_ERROR_MODEL, "no open model")
      expect(mux_run(number, numbers, 768, &numbers, 5), MUX_ERROR_MODEL, "no open model")
      Self.withImage { image in
        expect(mux_classify(number, image, 1, &guesses, &found), MUX_ERROR_MODEL, "no open model")
        expect(mux_detect(number, image, 0, 1, &boxes, &found), MUX_ERROR_MODEL, "no open model")
        expect(mux_features(number, image, &numbers, 8), MUX_ERROR_MODEL, "no open model")
        expect(mux_prepare(number, image, &numbers, 768), MUX_ERROR_MODEL, "no open model")
      }
    }
    // Its number does not come back.
    let other = try Self.open(folder("m.muxnet"))
    #expect(other != model)
    #expect(mux_model_close(other) == Int32(MUX_OK))
  }

  @Test("Many threads use a model, and close it under each other")
  func threads() throws {
    let folder = try TemporaryFolder()
    let path = try Self.write(folder)
    let model = try Self.open(path)
    let image = try Image(
      width: Self.width, height: Self.height, bytes: Self.bytes.prefix(Self.width * Self.height * 3)
    )
    let expected = try InferenceEngine(InferencePlan(model: path)).classify(image)
    DispatchQueue.concurrentPerform(iterations: 200) { number in
      var guesses = [mux_guess](repeating: mux_guess(), count: 5)
      var found: Int32 = 0
      let status = Self.withImage { mux_classify(model, $0, 5, &guesses, &found) }
      if status == Int32(MUX_OK) {
        #expect(guesses.map { Int($0.index) } == expected.map(\.index))
      } else {
        #expect(status == Int32(MUX_ERROR_MODEL))
        // Each thread has its own last error.
        #expect(Self.error.contains("no open model \(model)"))
      }
      if number == 150 { #expect(mux_model_close(model) == Int32(MUX_OK)) }
    }
    #expect(mux_model_close(model) == Int32(MUX_ERROR_MODEL))
  }
}
