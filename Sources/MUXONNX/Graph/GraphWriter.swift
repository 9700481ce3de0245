// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks

/// Collects the nodes and the constants of a graph, each under a name of its own.
struct GraphWriter {
  private let name: String
  private let batch: ONNXExport.Batch
  private var written: [Onnx_NodeProto] = []
  private var initializers: [Onnx_TensorProto] = []
  /// The shapes of values; nil where the value has become an output, which says its own.
  private var valueInfos: [Onnx_ValueInfoProto?] = []
  private var input: Onnx_ValueInfoProto?
  private var outputs: [Onnx_ValueInfoProto] = []
  private var names: Set<String> = [ONNXExport.inputName, ONNXExport.outputName]
  private var constants: [String: String] = [:]
  private var described: Set<String> = [ONNXExport.inputName]
  private var outputNames: Set<String> = []
  /// The names that tensors have now, by those that they had first; and the other way round.
  private var renamed: [String: String] = [:]
  private var firstNames: [String: String] = [:]
  /// Where the name that a tensor has now is said: what a new name costs is that, not the whole graph.
  private var mentions: [String: [Mention]] = [:]
  /// The positions of nodes by their names.
  private var nodesByName: [String: Int] = [:]

  private enum Mention {
    case input(node: Int, place: Int)
    case output(node: Int, place: Int)
    case initializer(Int)
    case valueInfo(Int)
  }

  init(name: String, batch: ONNXExport.Batch) {
    self.name = name
    self.batch = batch
  }

  /// All that was written.
  var graph: Onnx_GraphProto {
    .with {
      $0.name = name
      $0.node = written
      $0.initializer = initializers
      $0.valueInfo = valueInfos.compactMap(\.self)
      if let input { $0.input = [input] }
      $0.output = outputs
    }
  }

  /// Adds a node with one output, whose name begins with `name`.
  mutating func node(
    _ type: String, _ name: String, _ inputs: [String], _ attributes: [Onnx_AttributeProto] = []
  ) -> String {
    let output = unique(name)
    append(type, name: output, inputs, outputs: [output], attributes)
    return output
  }

  /// Adds a node with several outputs, whose names begin with `name`.
  mutating func nodes(
    _ type: String, _ name: String, _ inputs: [String], outputs count: Int,
    _ attributes: [Onnx_AttributeProto] = []
  ) -> [String] {
    let outputs = (0..<count).map { unique("\(name).\($0)") }
    append(type, name: unique(name), inputs, outputs: outputs, attributes)
    return outputs
  }

  /// Adds a Split along the channels; returns the names of the parts.
  mutating func split(
    _ input: String, _ name: String, counts: [Int], parts: [String]
  ) -> [String] {
    let outputs = parts.map { unique($0) }
    let sizes = integers(counts, "\(name).counts")
    append("Split", name: unique(name), [input, sizes], outputs: outputs, [.int("axis", 1)])
    return outputs
  }

  /// Adds a tensor of numbers.
  mutating func tensor(_ values: [Float], shape: [Int], _ name: String) -> String {
    let name = unique(name)
    append(
      .with {
        $0.name = name
        $0.dims = shape.map { Int64($0) }
        $0.dataType = Int32(Onnx_TensorProto.DataType.float.rawValue)
        $0.rawData = values.withUnsafeBytes { Data($0) }
      })
    return name
  }

  /// A list of integers; equal lists share one constant.
  mutating func integers(_ values: [Int], _ name: String) -> String {
    let key = "integers \(values)"
    if let known = constants[key] { return known }
    let name = unique(name)
    append(
      .with {
        $0.name = name
        $0.dims = [Int64(values.count)]
        $0.dataType = Int32(Onnx_TensorProto.DataType.int64.rawValue)
        $0.rawData = values.map { Int64($0) }.withUnsafeBytes { Data($0) }
      })
    constants[key] = name
    return name
  }

  /// A single number, shared.
  mutating func scalar(_ value: Float) -> String {
    let key = "scalar \(value)"
    if let known = constants[key] { return known }
    let name = tensor([value], shape: [], "constant.\(value)")
    constants[key] = name
    return name
  }

  /// A single whole number, shared.
  mutating func index(_ value: Int) -> String {
    let key = "index \(value)"
    if let known = constants[key] { return known }
    let name = unique("constant.index.\(value)")
    append(
      .with {
        $0.name = name
        $0.dataType = Int32(Onnx_TensorProto.DataType.int64.rawValue)
        $0.rawData = [Int64(value)].withUnsafeBytes { Data($0) }
      })
    constants[key] = name
    return name
  }

  /// Notes the shape of a value, so that viewers show it and checkers compare it.
  mutating func describe(_ value: GraphValue) {
    guard described.insert(value.name).inserted else { return }
    mentions[value.name, default: []].append(.valueInfo(valueInfos.count))
    valueInfos.append(info(value))
  }

  /// Declares the input.
  mutating func setInput(_ value: GraphValue) { input = info(value) }

  /// Declares an output, and renames the tensor behind it; one that has a name already (the input,
  /// another output) is passed on.
  mutating func addOutput(_ value: GraphValue, name: String) {
    var output = value
    output.name = renamed[value.name] ?? value.name
    if output.name == ONNXExport.inputName || outputNames.contains(output.name) {
      makeWay(for: name)
      append("Identity", name: name, [output.name], outputs: [name], [])
    } else if output.name != name {
      makeWay(for: name)
      rename(output.name, to: name)
    }
    for case .valueInfo(let index) in mentions[name] ?? [] { valueInfos[index] = nil }
    output.name = name
    declare(info(output))
  }

  /// Declares an output of any type and shape; dimensions that are not numbers are names of unknown ones.
  mutating func addOutput(
    _ tensor: String, name: String, type: Onnx_TensorProto.DataType, dimensions: [String]
  ) {
    makeWay(for: name)
    append("Identity", name: name, [renamed[tensor] ?? tensor], outputs: [name], [])
    declare(
      .with {
        $0.name = name
        $0.type.tensorType.elemType = Int32(type.rawValue)
        $0.type.tensorType.shape.dim = dimensions.map { text in
          .with {
            if let count = Int64(text) { $0.dimValue = count } else { $0.dimParam = text }
          }
        }
      })
  }

  private mutating func declare(_ output: Onnx_ValueInfoProto) {
    names.insert(output.name)
    outputNames.insert(output.name)
    outputs.append(output)
  }

  /// Gives what has the name of an output another one: a tensor holds the same in another order, and a node
  /// may stand behind a tensor that has left its name.
  private mutating func makeWay(for name: String) {
    let node = nodesByName.removeValue(forKey: name)
    guard node != nil || mentions[name] != nil else { return }
    let inner = unique("\(name).inner")
    if mentions[name] != nil { rename(name, to: inner) }
    guard let node else { return }
    written[node].name = inner
    nodesByName[inner] = node
  }

  /// Gives a tensor a name that no other has.
  private mutating func rename(_ old: String, to new: String) {
    let places = mentions.removeValue(forKey: old) ?? []
    for place in places {
      switch place {
      case .input(let node, let place): written[node].input[place] = new
      case .output(let node, let place): written[node].output[place] = new
      case .initializer(let index): initializers[index].name = new
      case .valueInfo(let index): valueInfos[index]?.name = new
      }
    }
    mentions[new] = places
    let first = firstNames.removeValue(forKey: old) ?? old
    firstNames[new] = first
    renamed[first] = new
    names.insert(new)
  }

  private mutating func append(
    _ type: String, name: String, _ inputs: [String], outputs: [String],
    _ attributes: [Onnx_AttributeProto]
  ) {
    let index = written.count
    for (place, input) in inputs.enumerated() {
      mentions[input, default: []].append(.input(node: index, place: place))
    }
    for (place, output) in outputs.enumerated() {
      mentions[output, default: []].append(.output(node: index, place: place))
    }
    nodesByName[name] = index
    written.append(
      .with {
        $0.opType = type
        $0.name = name
        $0.input = inputs
        $0.output = outputs
        $0.attribute = attributes
      })
  }

  private mutating func append(_ initializer: Onnx_TensorProto) {
    mentions[initializer.name, default: []].append(.initializer(initializers.count))
    initializers.append(initializer)
  }

  private mutating func unique(_ name: String) -> String {
    var candidate = name
    var number = 1
    while !names.insert(candidate).inserted {
      number += 1
      candidate = "\(name).\(number)"
    }
    return candidate
  }

  private func info(_ value: GraphValue) -> Onnx_ValueInfoProto {
    let shape = value.shape
    let sides = value.isFlat ? [] : [shape.height, shape.width]
    var dimensions: [Onnx_TensorShapeProto.Dimension] = [
      .with {
        switch batch {
        case .fixed(let count): $0.dimValue = Int64(count)
        case .dynamic: $0.dimParam = "N"
        }
      }
    ]
    for side in [shape.channels] + sides {
      dimensions.append(.with { $0.dimValue = Int64(side) })
    }
    return .with {
      $0.name = value.name
      $0.type.tensorType.elemType = Int32(Onnx_TensorProto.DataType.float.rawValue)
      $0.type.tensorType.shape.dim = dimensions
    }
  }
}

extension Onnx_AttributeProto {
  static func int(_ name: String, _ value: Int) -> Self {
    .with {
      $0.name = name
      $0.type = .int
      $0.i = Int64(value)
    }
  }

  static func ints(_ name: String, _ values: [Int]) -> Self {
    .with {
      $0.name = name
      $0.type = .ints
      $0.ints = values.map { Int64($0) }
    }
  }

  static func float(_ name: String, _ value: Float) -> Self {
    .with {
      $0.name = name
      $0.type = .float
      $0.f = value
    }
  }

  static func string(_ name: String, _ value: String) -> Self {
    .with {
      $0.name = name
      $0.type = .string
      $0.s = Data(value.utf8)
    }
  }
}
