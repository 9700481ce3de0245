// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXImages
import MUXNetworks
import MUXTestSupport
import MUXVision

/// A detector that learns coloured squares within seconds, and such squares.
enum TinyDetector {
  static let size = 64
  /// Default boxes at each position of its two maps.
  static let boxes = 4

  /// Five convolutions with batch norms; heads at strides 8 and 16.
  static func network(classes: Int, channels: Int = 16) throws -> Network {
    var nodes: [Node] = []
    func add(_ name: String, _ operation: Operation, _ input: String) -> String {
      nodes.append(Node(name: name, operation: operation, inputs: [input]))
      return name
    }
    var (value, width) = (Network.inputName, 3)
    var maps: [String] = []
    for (index, stride) in [2, 2, 2, 2].enumerated() {
      let output = index == 0 ? channels : channels * 2
      value = add(
        "features.\(index).conv",
        .convolution(
          Convolution(inputChannels: width, outputChannels: output, kernelSize: 3, stride: stride)),
        value)
      value = add(
        "features.\(index).bn", .batchNormalization(BatchNormalization(channels: output)), value)
      value = add("features.\(index).act", .activation(.relu), value)
      width = output
      if index > 1 { maps.append(value) }
    }
    var outputs: [String] = []
    for (kind, each) in [("classification_headers", classes + 1), ("regression_headers", 4)] {
      for (index, map) in maps.enumerated() {
        outputs.append(
          add(
            "\(kind).\(index)",
            .convolution(
              Convolution(
                inputChannels: width, outputChannels: boxes * each, kernelSize: 3, hasBias: true)),
            map))
      }
    }
    return try Network(
      name: "tiny_detector", inputChannels: 3, inputSize: ImageSize(size), nodes: nodes,
      outputs: outputs)
  }

  /// Pictures of one or two squares, red or green, on grey noise, as a list of boxes; every ninth is empty.
  static func writeData(_ folder: TemporaryFolder, count: Int) throws -> String {
    var list = "image,x0,y0,x1,y1,class\n"
    try folder.makeFolder("squares")
    for number in 0..<count {
      var random = RandomStream(seed: 9, purpose: .split, indices: UInt64(number))
      var pixels = (0..<size * size * 3).map { _ in UInt8(100 + random.below(30)) }
      let name = "\(number).png"
      if number % 9 == 8 { list += "\(name),,,,,\n" }
      for square in 0..<(number % 9 == 8 ? 0 : 1 + random.below(2)) {
        let side = 14 + random.below(14)
        // One on either side, so that they do not overlap.
        let x = square * 32 + random.below(32 - side), y = random.below(size - side)
        let color = random.below(2)
        for row in y..<y + side {
          for column in x..<x + side {
            for channel in 0..<3 {
              pixels[(row * size + column) * 3 + channel] = channel == color ? 230 : 30
            }
          }
        }
        list += "\(name),\(x),\(y),\(x + side),\(y + side),\(color == 0 ? "red" : "green")\n"
      }
      try Image(width: size, height: size, channels: 3, pixels: pixels)
        .writePNG(to: folder("squares/\(name)"))
    }
    return try folder.write("squares/boxes.csv", Array(list.utf8))
  }

  static func recipe(_ folder: TemporaryFolder, _ list: String, name: String = "squares") -> String
  {
    """
    epochs: 12
    batchSize: 16
    threads: 1
    task:
      name: detection
      priors:
        imageSize: 64
        maps:
        - {size: 8, step: 8, minimum: 16, maximum: 24, ratios: [2]}
        - {size: 4, step: 16, minimum: 24, maximum: 40, ratios: [2]}
    data: {source: boxes, path: \(list), validationFraction: 0.25, workers: 1}
    augmentation: {crop: none, flip: 0.5, evaluationCrop: 1}
    optimizer: {kind: adamW, learningRate: 0.01}
    schedule: {shape: cosine, interval: step}
    output: {folder: \(folder("runs")), name: \(name)}
    """
  }
}
