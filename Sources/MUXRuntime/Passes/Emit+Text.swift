// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import MUXNetworks

/// The structures of the kernels as text: the kind of step, then its fields in the order of
/// `mux_steps.h`. Fields that are 0, false or null are left out. An offset without a place reads
/// "none", and weights only that they exist.
struct EmittedText {
  static func line(_ step: mux_step) -> String {
    let name = String(cString: mux_step_name(step.kind))
    guard let argument = step.argument else { return name }
    let lists: [String: Int]
    let fields: Any
    switch step.kind {
    case .dense:
      let dense = argument.load(as: mux_dense.self)
      let inputs = dense.precision == MUX_FLOAT32 ? dense.inner : dense.cells
      lists = ["offsets": inputs, "outputs": dense.outer, "residuals": dense.outer]
      fields = dense
    case .spatial:
      let spatial = argument.load(as: mux_spatial_step.self)
      // Without weights they are those of all lanes, which nothing here counts.
      lists = spatial.weights == nil ? [:] : ["offsets": spatial.inner]
      fields = spatial
    case .linear:
      let linear = argument.load(as: mux_linear.self)
      lists = ["offsets": linear.inner]
      fields = linear
    case .elementwise:
      let elementwise = argument.load(as: mux_elementwise.self)
      lists = all(["a", "b", "outputs"], elementwise.planes)
      fields = elementwise
    case .unblock:
      let unblock = argument.load(as: mux_unblock.self)
      lists = all(["outputs", "positions"], unblock.planes)
      fields = unblock
    case .pool:
      let pool = argument.load(as: mux_pool_step.self)
      (lists, fields) = (all(["inputs", "outputs"], pool.planes), pool)
    case .adaptive_pool:
      let pool = argument.load(as: mux_adaptive_pool.self)
      (lists, fields) = (all(["inputs", "outputs"], pool.planes), pool)
    case .pad:
      let pad = argument.load(as: mux_pad.self)
      (lists, fields) = (all(["inputs", "outputs"], pad.planes), pad)
    case .l2_norm:
      let norm = argument.load(as: mux_l2_norm.self)
      (lists, fields) = (all(["inputs", "outputs"], norm.planes), norm)
    case .multiplex:
      let multiplex = argument.load(as: mux_multiplex.self)
      let coarse = multiplex.planes * Int(multiplex.factor * multiplex.factor)
      let isToChannels = multiplex.to_channels != 0
      lists = [
        "inputs": isToChannels ? multiplex.planes : coarse,
        "outputs": isToChannels ? coarse : multiplex.planes,
      ]
      fields = multiplex
    case .pack:
      let pack = argument.load(as: mux_pack.self)
      (lists, fields) = (all(["inputs"], pack.planes), pack)
    }
    var parts = [name] + Self.parts(fields, lists)
    if step.kind == .spatial {
      let spatial = argument.load(as: mux_spatial_step.self)
      let units = UnsafeBufferPointer(start: spatial.units, count: Int(spatial.unit_count))
      parts += units.map { "unit (\(Self.parts($0, [:]).joined(separator: ", ")))" }
    }
    return parts.joined(separator: "; ")
  }

  private static func all(_ names: [String], _ count: Int) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: names.map { ($0, count) })
  }

  private static func parts(_ fields: Any, _ lists: [String: Int]) -> [String] {
    Mirror(reflecting: fields).children.compactMap { child in
      guard let name = child.label, let value = text(child.value, name, lists) else { return nil }
      return value.isEmpty ? name : "\(name) \(value)"
    }
  }

  /// What a field holds: nothing for what is left out, an empty text for memory that is there.
  private static func text(_ value: Any, _ name: String, _ lists: [String: Int]) -> String? {
    switch value {
    case let number as Int: text(number)
    case let number as Int32: text(Int(number))
    case let number as Float: number == 0 ? nil : "\(number)"
    case let kind as mux_precision: kind.rawValue == 0 ? nil : Precision.name(of: kind)
    case let mode as mux_elementwise_mode: text(Int(mode.rawValue))
    case let mode as mux_spatial_mode: text(Int(mode.rawValue))
    case let kind as mux_activation_kind: text(Int(kind.rawValue))
    case let offsets as UnsafePointer<Int32>:
      lists[name].map { list(UnsafeBufferPointer(start: offsets, count: $0)) } ?? ""
    case is UnsafePointer<Float>, is UnsafePointer<UInt16>, is UnsafePointer<mux_spatial_unit>: ""
    case let window as mux_window:
      window.kernel == 0
        ? nil : "(\(parts(window, ["inputs": window.input_count]).joined(separator: ", ")))"
    case is mux_activation, is mux_quantization:
      nested(value)
    default: nil
    }
  }

  private static func nested(_ value: Any) -> String? {
    let parts = parts(value, [:])
    return parts.isEmpty ? nil : "(\(parts.joined(separator: ", ")))"
  }

  private static func text(_ number: Int) -> String? {
    number == 0 ? nil : number == -1 ? "none" : "\(number)"
  }

  /// Numbers; those of equal distance by the first two and the last.
  private static func list(_ numbers: UnsafeBufferPointer<Int32>) -> String {
    var texts: [String] = []
    var index = 0
    while index < numbers.count {
      var end = index + 1
      while end + 1 < numbers.count, end > index,
        numbers[end + 1] - numbers[end] == numbers[index + 1] - numbers[index]
      {
        end += 1
      }
      if end - index >= 3, end < numbers.count {
        texts.append("\(numbers[index]) \(numbers[index + 1]) … \(numbers[end])")
        index = end + 1
      } else {
        texts.append("\(numbers[index])")
        index += 1
      }
    }
    return "[\(texts.joined(separator: " "))]"
  }
}

extension Precision {
  fileprivate static func name(of kernels: mux_precision) -> String {
    allCases.first { $0.kernels == kernels }?.rawValue ?? "\(kernels.rawValue)"
  }
}
