// SPDX-License-Identifier: Apache-2.0
public import MUXImages
public import MUXTasks

extension EnginePool {
  /// The most likely classes of an image, most likely first.
  ///
  /// - Parameters:
  ///   - image: An image of any size; grey or colour is turned into what the network takes.
  ///   - count: The most guesses that are wanted.
  /// - Throws: As `InferenceEngine.classify`, and what pools throw: `CancellationError`,
  ///   ``RuntimeError/poolFull(waiting:)`` and ``RuntimeError/poolShutDown``.
  public func classify(_ image: Image, top count: Int = 5) async throws -> [Prediction.Guess] {
    try await classify(top: count) { image }
  }

  /// The most likely classes of an image that `image` makes, as a rule by decoding a file: that is done
  /// on the pool's threads, too, when it is the call's turn.
  ///
  /// ```swift
  /// let guesses = try await pool.classify { try Image(data: upload) }    // with MUXVision
  /// ```
  /// - Parameters:
  ///   - count: The most guesses that are wanted.
  ///   - image: Makes the image.
  /// - Throws: What `image` throws, or what classifying an image throws.
  public func classify(
    top count: Int = 5, _ image: @escaping @Sendable () throws -> Image
  ) async throws -> [Prediction.Guess] {
    guard count >= 0 else { throw RuntimeError.guessCount(count) }
    try plan.requireClassifier()
    let plan = plan
    return try await compute(.outputs, preparing(image)) { plan.guesses($0.values[...], count) }
  }

  /// The most likely classes of several images, run as one batch on one engine.
  ///
  /// - Parameters:
  ///   - images: Images of any sizes.
  ///   - count: The most guesses that are wanted of each.
  /// - Throws: What classifying one of them throws; no guesses are given then.
  public func classify(_ images: [Image], top count: Int = 5) async throws -> [[Prediction.Guess]] {
    try await withEngine { try $0.classify(images, top: count) }
  }

  /// The things in an image, each with its class and its box in pixels of the image, most likely first.
  ///
  /// - Parameters:
  ///   - image: An image of any size.
  ///   - settings: How much is said; what is nil is as the model says.
  /// - Throws: As `InferenceEngine.detect`, and what pools throw.
  public func detect(
    _ image: Image, settings: DecodingSettings = DecodingSettings()
  ) async throws -> Detections {
    try await detect(settings: settings) { image }
  }

  /// The things in an image that `image` makes on a thread of the pool.
  ///
  /// - Parameters:
  ///   - settings: How much is said; what is nil is as the model says.
  ///   - image: Makes the image.
  /// - Throws: What `image` throws, or as ``detect(_:settings:)``.
  public func detect(
    settings: DecodingSettings = DecodingSettings(), _ image: @escaping @Sendable () throws -> Image
  ) async throws -> Detections {
    let head = try head.get()
    return try await compute(.outputs, preparing(image)) { numbers in
      head.decode(numbers.values[...], original: numbers.original, settings: settings)
    }
  }

  /// The features of an image, as an engine gives them: ``InferenceEngine/features(of:)``.
  ///
  /// - Parameter image: An image of any size.
  /// - Returns: ``InferencePlan/featureCount`` numbers.
  /// - Throws: As ``InferenceEngine/features(_:)``, and what pools throw.
  public func features(of image: Image) async throws -> [Float] {
    try await features { image }
  }

  /// The features of an image that `image` makes on a thread of the pool.
  ///
  /// - Parameter image: Makes the image.
  /// - Returns: ``InferencePlan/featureCount`` numbers.
  /// - Throws: What `image` throws, or as ``features(of:)``.
  public func features(_ image: @escaping @Sendable () throws -> Image) async throws -> [Float] {
    guard plan.featureCount != nil else { throw RuntimeError.noFeatures(network: plan.name) }
    return try await compute(.features, preparing(image)) { $0.values }
  }

  /// Makes an image, prepares it as the model says, and gives the size that it had.
  private func preparing(
    _ image: @escaping @Sendable () throws -> Image
  ) throws -> @Sendable (UnsafeMutableBufferPointer<Float>) throws -> ImageSize {
    let plan = plan
    let preparation = try preparation.get()
    return { target in
      let image = try image()
      try preparation.write(image, for: plan, to: target)
      return image.size
    }
  }
}
