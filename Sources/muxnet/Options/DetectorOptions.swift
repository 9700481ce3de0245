// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import MUXConfiguration
import MUXCore
import MUXEvaluation
import MUXNetworkFiles
import MUXNetworks
import MUXTasks

/// Whose default boxes objects are set beside.
struct DetectorOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A recipe (file or name) whose network, input size and task.priors are used.",
      valueName: "name"))
  var recipe: String?

  @Option(help: "A detector: a name of the zoo, a network file, or trained weights.")
  var model: String?

  @Option(help: "Width and height of the input in pixels.")
  var inputSize: Int?

  @Flag(help: "Keep the aspect ratio when scaling images (letterbox).")
  var letterbox = false

  func validate() throws {
    if let inputSize, !(1...8192 ~= inputSize) {
      throw ValidationError("--input-size must be from 1 to 8192, not \(inputSize)")
    }
  }

  /// The options that were given.
  var given: [String] {
    [
      ("recipe", recipe != nil), ("model", model != nil), ("input-size", inputSize != nil),
      ("letterbox", letterbox),
    ].filter { $0.1 }.map { "--\($0.0)" }
  }

  /// The detector that is meant; nil where no option names one.
  func detector() throws -> Detector? {
    guard recipe != nil || model != nil || inputSize != nil else { return nil }
    return try detector(unless: "ssdlite_muxnet_m")
  }

  /// The detector that is meant.
  ///
  /// - Parameter usual: The network where no option names one.
  func detector(unless usual: String) throws -> Detector {
    let settings = try recipe.map { try RecipeLibrary.load($0) }.map(RecipeExcerpt.init)
    let name = model ?? settings?.network ?? usual
    let changes = ModelOptions(
      inputSize: (inputSize ?? (model == nil ? settings?.inputSize : nil)).map { ImageSize($0) })
    let isLetterboxed = letterbox || settings?.isLetterboxed == true
    var task = Detection()
    let network: Network
    switch try ModelSource(name, changes) {
    case .network(let own):
      network = own
      // Default boxes of a recipe belong to its own network and size.
      if model == nil, inputSize == nil { task.priors = settings?.priors }
    case .weights(let trained):
      network = trained.network
      task.priors = (trained.task.task as? Detection)?.priors
    case .packed(let packed):
      network = packed.network
      task.priors = (packed.taskSettings?.task as? Detection)?.priors
    }
    return Detector(
      name: name, layout: try task.head(for: network, classNames: []).layout,
      isLetterboxed: isLetterboxed)
  }
}

/// What of a detector says where its default boxes stand.
struct Detector {
  /// What the user called it.
  var name: String
  var layout: PriorLayout
  /// Whether images keep their aspect when they are scaled.
  var isLetterboxed: Bool
}

/// What of a recipe says which default boxes a detector has; the rest of it may be for a program that
/// trains, which this one need not be.
private struct RecipeExcerpt {
  var network: String?
  var inputSize: Int?
  var priors: PriorLayout?
  var isLetterboxed = false

  init(_ recipe: ConfigurationTree) throws {
    let settings = try recipe.keeping(["model", "task", "augmentation"]).decode(Excerpt.self)
    network = settings.model?["name"]?.text
    inputSize = settings.model?["inputSize"]?.text.flatMap { Int($0) }
    priors = (settings.task?.task as? Detection)?.priors
    isLetterboxed = settings.augmentation?["letterbox"]?.text == "true"
  }

  private struct Excerpt: Decodable {
    var model: [String: Setting]?
    var task: NamedTask?
    var augmentation: [String: Setting]?
  }

  /// A setting of any kind, of which only plain ones are read.
  private struct Setting: Decodable {
    var text: String?

    init(from decoder: any Decoder) throws {
      guard let value = try? decoder.singleValueContainer() else { return }
      text =
        (try? value.decode(Int.self)).map { "\($0)" }
        ?? (try? value.decode(Bool.self)).map { "\($0)" }
        ?? (try? value.decode(String.self))
    }
  }
}
