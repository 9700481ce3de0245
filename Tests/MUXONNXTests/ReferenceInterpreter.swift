// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXONNX

/// A dense tensor of single-precision numbers.
struct Numbers {
  var shape: [Int]
  var values: [Float]

  /// Reads [n, c, y, x].
  subscript(n: Int, c: Int, y: Int, x: Int) -> Float {
    values[((n * shape[1] + c) * shape[2] + y) * shape[3] + x]
  }
}

/// Computes ONNX graphs by the text of ONNX's specification, one loop per operator: slow, and
/// written without regard to the exporter.
struct ReferenceInterpreter {
  /// What the interpreter cannot run.
  struct Unknown: Error { let what: String }

  private let graph: Onnx_GraphProto
  private var values: [String: Numbers] = [:]
  private var integers: [String: [Int]] = [:]

  init(_ graph: Onnx_GraphProto) throws {
    self.graph = graph
    for tensor in graph.initializer {
      let shape = tensor.dims.map { Int($0) }
      if tensor.dataType == Int32(Onnx_TensorProto.DataType.int64.rawValue) {
        integers[tensor.name] = Self.elements(tensor.rawData, Int64.self).map { Int($0) }
      } else {
        values[tensor.name] = Numbers(
          shape: shape, values: Self.elements(tensor.rawData, Float.self))
      }
      guard tensor.rawData.count == shape.reduce(1, *) * (integers[tensor.name] == nil ? 4 : 8)
      else { throw Unknown(what: "size of \(tensor.name)") }
    }
  }

  private static func elements<Element: BitwiseCopyable>(
    _ data: Data, _ type: Element.Type
  ) -> [Element] {
    let bytes = [UInt8](data)
    let size = MemoryLayout<Element>.size
    return bytes.withUnsafeBytes { buffer in
      (0..<bytes.count / size).map {
        buffer.loadUnaligned(fromByteOffset: $0 * size, as: Element.self)
      }
    }
  }

  /// The output for an input.
  mutating func run(_ input: Numbers) throws -> Numbers {
    let outputs = try self.outputs(input)
    guard outputs.count == 1 else { throw Unknown(what: "the output") }
    return outputs[0]
  }

  /// All outputs for an input.
  mutating func outputs(_ input: Numbers) throws -> [Numbers] {
    values["input"] = input
    for node in graph.node {
      let results = try run(node)
      guard results.count == node.output.count else { throw Unknown(what: node.name) }
      for (name, result) in zip(node.output, results) { values[name] = result }
    }
    return try graph.output.map { try value($0.name) }
  }

  private func value(_ name: String) throws -> Numbers {
    guard let found = values[name] else { throw Unknown(what: name) }
    return found
  }

  private func list(_ name: String) throws -> [Int] {
    guard let found = integers[name] else { throw Unknown(what: name) }
    return found
  }

  private func run(_ node: Onnx_NodeProto) throws -> [Numbers] {
    let x = try value(node.input[0])
    let attributes = Dictionary(uniqueKeysWithValues: node.attribute.map { ($0.name, $0) })
    func ints(_ name: String) -> [Int] { attributes[name]?.ints.map { Int($0) } ?? [] }
    func map(_ body: (Float) -> Float) -> [Numbers] {
      [Numbers(shape: x.shape, values: x.values.map(body))]
    }
    switch node.opType {
    case "Identity": return [x]
    case "Relu": return map { max($0, 0) }
    case "Sigmoid": return map { 1 / (1 + exp(-$0)) }
    case "HardSwish": return map { $0 * min(max($0 / 6 + 0.5, 0), 1) }
    case "HardSigmoid":
      let (alpha, beta) = (attributes["alpha"]?.f ?? 0.2, attributes["beta"]?.f ?? 0.5)
      return map { min(max(alpha * $0 + beta, 0), 1) }
    case "Clip":
      let low = try value(node.input[1]).values[0], high = try value(node.input[2]).values[0]
      return map { min(max($0, low), high) }
    case "Add": return [broadcast(x, try value(node.input[1]), +)]
    case "Mul": return [broadcast(x, try value(node.input[1]), *)]
    case "Concat": return [concatenate(try node.input.map(value))]
    case "Gather": return [take(x, try list(node.input[1]))]
    case "Split":
      var start = 0
      return try list(node.input[1]).map { count in
        defer { start += count }
        return take(x, Array(start..<start + count))
      }
    case "Slice":
      return [
        try slice(
          x, starts: list(node.input[1]), ends: list(node.input[2]), axes: list(node.input[3]))
      ]
    case "Pad": return [pad(x, try list(node.input[1]))]
    case "Flatten":
      return [Numbers(shape: [x.shape[0], x.shape.dropFirst().reduce(1, *)], values: x.values)]
    case "SpaceToDepth": return [spaceToDepth(x, Int(attributes["blocksize"]?.i ?? 0))]
    case "DepthToSpace":
      guard attributes["mode"]?.s == Data("DCR".utf8) else { throw Unknown(what: "mode") }
      return [depthToSpace(x, Int(attributes["blocksize"]?.i ?? 0))]
    case "Conv":
      return [
        convolve(
          x, try value(node.input[1]), bias: try node.input.dropFirst(2).first.map(value),
          strides: ints("strides"), pads: ints("pads"), dilations: ints("dilations"),
          groups: Int(attributes["group"]?.i ?? 1))
      ]
    case "BatchNormalization":
      let tensors = try node.input.dropFirst().map(value)
      return [normalize(x, tensors, epsilon: attributes["epsilon"]?.f ?? 1e-5)]
    case "MaxPool", "AveragePool":
      return [
        pool(
          x, isMaximum: node.opType == "MaxPool", kernel: ints("kernel_shape"),
          strides: ints("strides"), pads: ints("pads"),
          countsPadding: attributes["count_include_pad"]?.i == 1)
      ]
    case "GlobalAveragePool":
      return [
        pool(
          x, isMaximum: false, kernel: [x.shape[2], x.shape[3]], strides: [1, 1], pads: [],
          countsPadding: false)
      ]
    case "Gemm":
      return [
        linear(x, try value(node.input[1]), try node.input.dropFirst(2).first.map(value))
      ]
    case "MatMul": return [multiply(x, try value(node.input[1]))]
    default: throw Unknown(what: node.opType)
    }
  }
}
