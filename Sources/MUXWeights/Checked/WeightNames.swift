// SPDX-License-Identifier: Apache-2.0
package import MUXNetworks

/// The names of weights as wrappers leave them, and as the network means them.
///
/// What trains a network often wraps it, and each wrapper puts its name before those of the tensors:
/// - *Wrappers of PyTorch* (``WeightNames/wrappers``) say nothing about the network, and no layer has
///   their names. They go wherever they stand in a name, as in `blocks.0._orig_mod.conv.weight`;
///   `module` only at the front, and only if all names begin so.
/// - *Attributes* (``WeightNames/attributes``), such as Lightning's `model.`, or the name of a network of
///   the zoo, as in `densenet121.features.conv0.weight`, go at the front if the network has no such names
///   itself.
/// - A layer that was put into a sequence of its own with what has no weights (CheXNet's classifier and
///   its sigmoid, `classifier.0.weight`) is the layer.
/// - `n_averaged`, the count of an averaged model, is no weight and goes.
/// - *Other packages* may number all blocks in one row: ``NumberedBlockNames``.
package enum WeightNames {
  /// What compilers and distributed training put into names.
  package static let wrappers: Set<String> = [
    "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module",
  ]
  /// The names under which programs keep the network in an object that is saved.
  package static let attributes: Set<String> = [
    "module", "model", "net", "network", "backbone", "encoder", "ema", "ema_model", "model_ema",
    "averaged_model",
  ]
  /// Whether a part of a name is that under which a program keeps a network.
  static func isAttribute(_ part: some StringProtocol) -> Bool {
    attributes.contains(String(part)) || networks.contains(String(part))
  }
  private static let networks = Set(ModelZoo.entries.map(\.name))

  /// Tensors that wrappers add and that belong to no network.
  package static let counters: Set<String> = ["n_averaged"]

  /// A name without PyTorch's wrappers, and with today's name where torchvision's published
  /// DenseNets have an older one (`denselayer1.norm.1` is `denselayer1.norm1` since).
  static func unwrapped(_ name: String) -> String {
    var name = name
    if name.contains("_") {
      name = name.split(separator: ".", omittingEmptySubsequences: false)
        .filter { !wrappers.contains(String($0)) }.joined(separator: ".")
    }
    return name.contains("denselayer") ? joiningDenseLayer(name) : name
  }

  /// `norm.1.` behind `.denselayer1.` as `norm1.`, and likewise with `conv` and 2. (Without a regular
  /// expression, which apps would have to bring along.)
  private static func joiningDenseLayer(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let prefix = "denselayer"
    var result: [Substring] = []
    var index = 0
    while index < parts.count {
      result.append(parts[index])
      let number = parts[index].dropFirst(prefix.count)
      if index > 0, index + 3 < parts.count, parts[index].hasPrefix(prefix), !number.isEmpty,
        number.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
        ["norm", "conv"].contains(parts[index + 1]), ["1", "2"].contains(parts[index + 2])
      {
        result.append(parts[index + 1] + parts[index + 2])
        index += 3
      } else {
        index += 1
      }
    }
    return result.joined(separator: ".")
  }
}

extension WeightNames {
  /// How long the `module.` is, once or several times, with which all names begin. Each is read once: a file
  /// may have it as often as it has room for.
  package static func sharedModules(_ names: [String]) -> Int {
    let word = "module.".utf8
    var shared = Int.max
    for name in names where shared > 0 {
      var rest = name.utf8[...]
      while rest.starts(with: word) { rest = rest.dropFirst(word.count) }
      shared = min(shared, name.utf8.count - rest.count)
    }
    return shared == .max ? 0 : shared
  }

  /// A name without its first bytes.
  package static func dropping(_ count: Int, _ name: String) -> String {
    String(Substring(name.utf8.dropFirst(count)))
  }
}

extension TensorArchive {
  /// The same tensors without what PyTorch's wrappers put into their names, whatever the network.
  ///
  /// A file that has a tensor under both names keeps both, and is refused with both.
  public var unwrapped: TensorArchive {
    var result = TensorArchive(metadata: metadata)
    for (name, tensor) in self
    where !WeightNames.counters.contains(where: { name == $0 || name.hasSuffix(".\($0)") }) {
      result[name] = tensor
    }
    result = result.renamedIfUnique(WeightNames.unwrapped)
    let front = WeightNames.sharedModules(result.names)
    return front == 0 ? result : result.renamed { WeightNames.dropping(front, $0) }
  }

  /// The same tensors under the names of a network, as far as ``WeightNames`` explains them.
  package func named(for parameters: [ParameterSpecification]) -> TensorArchive {
    let clean = unwrapped
    guard let first = parameters.first(where: { $0.role != .batchCount }),
      !parameters.contains(where: { clean[$0.name] != nil })
    else { return clean.withoutSequences(for: parameters) }
    if let bare = clean.withoutAttributes(before: first.name) {
      return bare.withoutSequences(for: parameters)
    }
    // Another package's names, behind attributes or not.
    let stem = NumberedBlockNames.firstTensor
    guard let others = clean[stem] != nil ? clean : clean.withoutAttributes(before: stem) else {
      return clean
    }
    let names = NumberedBlockNames(parameters)
    return others.renamedIfUnique(names.own)
  }

  /// The same tensors without what stands before the name of one of them, if that is attributes only;
  /// nil where there is nothing to remove.
  private func withoutAttributes(before name: String) -> TensorArchive? {
    // The shortest prefix under which the tensor stands.
    let prefixes = names.filter { $0.hasSuffix("." + name) }
      .map { String($0.dropLast(name.count)) }
      .filter { prefix in
        prefix.split(separator: ".").allSatisfy { WeightNames.isAttribute($0) }
      }
    guard let prefix = prefixes.min(by: { $0.count < $1.count }) else { return nil }
    return renamedIfUnique { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
  }

  /// The same tensors, where a layer of the network that they lack stands first and alone in a sequence of
  /// its name: `classifier.0.weight` for `classifier.weight`.
  private func withoutSequences(for parameters: [ParameterSpecification]) -> TensorArchive {
    let names = Set(names)
    var own: [String: String] = [:]
    var sequences: [String: String] = [:]
    for parameter in parameters where !names.contains(parameter.name) {
      guard let dot = parameter.name.lastIndex(of: ".") else { continue }
      let (layer, tensor) = (parameter.name[..<dot], parameter.name[dot...])
      let other = "\(layer).0\(tensor)"
      guard names.contains(other) else { continue }
      own[other] = parameter.name
      sequences[other] = "\(layer).1."
    }
    if !own.isEmpty {
      // In this order the names with a common beginning stand side by side.
      let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      for (other, second) in sequences where Self.holds(sorted, second) { own[other] = nil }
    }
    return own.isEmpty ? self : renamedIfUnique { own[$0] ?? $0 }
  }

  /// Whether a sorted list has a name with a beginning.
  private static func holds(_ sorted: [String], _ beginning: String) -> Bool {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].utf8.lexicographicallyPrecedes(beginning.utf8) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < sorted.count && sorted[low].utf8.starts(with: beginning.utf8)
  }

  private func renamedIfUnique(_ rename: (String) -> String) -> TensorArchive {
    let new = names.map(rename)
    return new != names && Set(new).count == count ? renamed(rename) : self
  }
}
