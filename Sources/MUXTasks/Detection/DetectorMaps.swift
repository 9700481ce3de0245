// SPDX-License-Identifier: Apache-2.0
import MUXImages
import MUXNetworks

/// The maps of features that a detector's outputs come from.
struct DetectorMaps {
  /// Positions and default boxes at each, for every map.
  let maps: [(size: ImageSize, boxesPerPosition: Int)]
  /// The network's image size.
  let imageSize: ImageSize
  private let network: String

  /// What to say of a network that classifies.
  static let reasonForOne =
    "it has one output only, as classifiers have; give a detector, such as ssdlite_muxnet_m, or another"
    + " task"

  /// The outputs of a network with their shapes.
  static func outputs(of network: Network) throws -> [(name: String, shape: Shape)] {
    let shapes = try network.shapes()
    return try zip(network.outputs, network.outputIndices).map { name, index in
      guard index >= 0 else {
        throw TaskError.detectorOutputs(
          network: network.name, reason: "the images themselves are one of them")
      }
      return (name: name, shape: shapes[index])
    }
  }

  /// Finds the maps of outputs for so many classes, the background among them.
  init(
    network: String, imageSize: ImageSize, outputs: [(name: String, shape: Shape)], classes: Int
  ) throws(TaskError) {
    func fail(_ reason: String) -> TaskError {
      .detectorOutputs(network: network, reason: reason)
    }
    self.network = network
    self.imageSize = imageSize
    guard outputs.count > 1, outputs.count.isMultiple(of: 2) else {
      throw fail(
        outputs.count == 1
          ? Self.reasonForOne
          : "there are \(outputs.count), but each map of features has two: class scores, offsets")
    }
    let count = outputs.count / 2
    var maps: [(size: ImageSize, boxesPerPosition: Int)] = []
    for index in 0..<count {
      let (name, scores) = outputs[index]
      let offsets = outputs[count + index].shape
      guard scores.width == offsets.width, scores.height == offsets.height,
        offsets.channels.isMultiple(of: 4)
      else {
        throw fail(
          "'\(outputs[count + index].name)' (\(offsets)) does not have four offsets for each"
            + " default box of '\(name)' (\(scores)); first come the class scores of all maps, then"
            + " the offsets of all maps")
      }
      let boxes = offsets.channels / 4
      guard scores.channels == boxes * classes else {
        throw fail(
          "'\(name)' has \(scores.channels) channels for \(boxes) default boxes, so it is made for"
            + " \(Self.share(scores.channels, boxes)), but there are \(classes - 1) and the"
            + " background; give the list of classes that the network was made for, or make it for"
            + " these (model.classes, which may be left out)")
      }
      maps.append((ImageSize(height: scores.height, width: scores.width), boxes))
    }
    self.maps = maps
  }

  private static func share(_ channels: Int, _ boxes: Int) -> String {
    guard channels.isMultiple(of: boxes) else { return "no number of classes" }
    let classes = channels / boxes - 1
    return "\(classes) class\(classes == 1 ? "" : "es") and the background"
  }

  /// The default boxes of the task's settings, or those that belong to the maps.
  func layout(_ given: PriorLayout?) throws -> PriorLayout {
    guard let layout = given ?? PriorLayout.usual(maps: maps, imageSize: imageSize) else {
      throw TaskError.detectorOutputs(
        network: network,
        reason: "its maps have an odd number of boxes at a position, for which there are no usual"
          + " sizes; set task.priors")
    }
    func text(_ maps: [(size: ImageSize, boxesPerPosition: Int)]) -> String {
      maps.map { "\($0.size) × \($0.boxesPerPosition)" }.joined(separator: ", ")
    }
    let own = layout.maps.map { (size: $0.size, boxesPerPosition: $0.boxesPerPosition) }
    guard own.elementsEqual(maps, by: { $0 == $1 }) else {
      throw TaskError.detectorOutputs(
        network: network,
        reason: "its maps have default boxes of \(text(maps)), but task.priors has \(text(own))")
    }
    return layout
  }
}
