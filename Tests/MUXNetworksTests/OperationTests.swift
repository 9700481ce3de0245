// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworkFiles
import MUXNetworks
import Testing

@Suite("Operations of the networks that the paper compares with")
struct OperationTests {
  private func network(_ operation: MUXNetworks.Operation, side: Int = 9) throws -> Network {
    try Network(
      name: "one", inputSize: ImageSize(height: side, width: side + 1),
      nodes: [Node(name: "op", operation: operation, inputs: [Network.inputName])])
  }

  @Test(
    "Shapes of pools, pads and crops",
    arguments: [
      (
        MUXNetworks.Operation.pool(
          Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1)), "3×5×5"
      ),
      (.pool(Pooling(kind: .average, kernelSize: 1, stride: 2)), "3×5×5"),
      (.pool(Pooling(kind: .average, kernelSize: 2, stride: 2, countsPadding: false)), "3×4×5"),
      (.pool(Pooling(kind: .maximum, kernelSize: 2, stride: 2, ceilMode: true)), "3×5×5"),
      (
        .pool(Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 1, ceilMode: true)),
        "3×5×6"
      ),
      (.pool(Pooling(kind: .maximum, kernelSize: 1, stride: 2, ceilMode: true)), "3×5×5"),
      (.pad(ImagePadding(top: 1, left: 2, bottom: 3, right: 4)), "3×13×16"),
      (.pad(ImagePadding(top: -1, left: -1)), "3×8×9"),
      (.adaptiveAveragePool(ImageSize(height: 7, width: 2)), "3×7×2"),
      (.adaptiveAveragePool(ImageSize(20)), "3×20×20"),
    ])
  func shapes(operation: MUXNetworks.Operation, shape: String) throws {
    let network = try network(operation)
    #expect(try network.shapes().last?.description == shape)
    let report = try CostReport(network)
    #expect(report.parameters == 0 && report.multiplyAdds == 0)
    let data = try NetworkFile.json(network)
    #expect(try JSONDecoder().decode(Network.self, from: data) == network)
  }

  @Test(
    "TensorFlow's padding: as many positions as strides, the odd zero behind",
    arguments: [
      (3, 2, 224, 112, 0, 1), (3, 2, 225, 113, 1, 1), (5, 2, 112, 56, 1, 2), (5, 2, 7, 4, 2, 2),
      (2, 1, 9, 9, 0, 1), (1, 2, 8, 4, 0, 0), (7, 4, 10, 3, 2, 3), (3, 1, 1, 1, 1, 1),
    ])
  func samePadding(
    kernel: Int, stride: Int, size: Int, positions: Int, before: Int, behind: Int
  ) throws {
    let convolution = Convolution(
      inputChannels: 3, outputChannels: 3, kernelSize: kernel, stride: stride, paddingRule: .same)
    #expect(convolution.zeros(around: size) == (before, behind))
    #expect(convolution.outputSize(size) == positions)
    let network = try Network(
      name: "same", inputSize: ImageSize(size),
      nodes: [
        Node(name: "op", operation: .convolution(convolution), inputs: [Network.inputName])
      ])
    let text = String(decoding: try NetworkFile.json(network), as: UTF8.self)
    #expect(text.contains("\"version\" : 2") && text.contains("\"paddingRule\" : \"same\""))
    #expect(try JSONDecoder().decode(Network.self, from: Data(text.utf8)) == network)
    var twice = convolution
    twice.padding = 1
    #expect {
      try self.network(.convolution(twice))
    } throws: { "\($0)".contains("its padding follows from the rule 'same'") }
  }

  @Test("An L2 normalisation has a scale per channel, and its channels must be those that come")
  func l2Normalization() throws {
    let network = try network(.l2Normalization(L2Normalization(channels: 3)))
    #expect(try network.shapes().last?.description == "3×9×10")
    let report = try CostReport(network)
    #expect(report.parameters == 3 && report.multiplyAdds == 0)
    #expect(network.parameters.map(\.name) == ["op.scale_weight"])
    let data = try NetworkFile.json(network)
    #expect(try JSONDecoder().decode(Network.self, from: data) == network)
    for norm in [
      L2Normalization(channels: 4), L2Normalization(channels: 0),
      L2Normalization(channels: 3, epsilon: 0),
    ] {
      #expect(throws: NetworkError.self) { try self.network(.l2Normalization(norm)) }
    }
  }

  @Test("A crop that leaves nothing, a window that does not fit, and empty grids name the layer")
  func refusals() throws {
    #expect {
      try network(.pad(ImagePadding(top: -4, bottom: -5)))
    } throws: { "\($0)".hasPrefix("layer 'op' cannot run: an input of 9×10 pixels is too small") }
    let pool = try network(.pool(Pooling(kind: .maximum, kernelSize: 3, stride: 2)))
    #expect {
      try pool.shapes(inputSize: ImageSize(2))
    } throws: { "\($0)".hasPrefix("layer 'op' cannot run: an input of 2×2 pixels is too small") }
    #expect {
      try network(.adaptiveAveragePool(ImageSize(height: 0, width: 7)))
    } throws: {
      "\($0)" == "layer 'op': an adaptive pool needs at least one window in each direction"
    }
    #expect {
      try network(.pool(Pooling(kind: .maximum, kernelSize: 3, stride: 2, padding: 2)))
    } throws: { "\($0)".contains("padding of at most half the window") }
    #expect {
      try network(.pool(Pooling(kind: .average, kernelSize: 3, stride: 2, ceilMode: true)))
    } throws: { "\($0)".contains("only a maximum pool rounds its size up") }
  }
}
