// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXWeights

/// A value on the stack of the pickle interpreter.
enum PickleValue {
  case none
  case boolean(Bool)
  case integer(Int64)
  /// An integer beyond 64 bits, as its little-endian bytes; only magic numbers are that long.
  case bigInteger([UInt8])
  case float(Double)
  case string(String)
  case bytes(ByteRegion)
  case tuple(PickleContainer)
  case list(PickleContainer)
  case dictionary(PickleContainer)
  case global(PickleGlobal)
  case storage(PickleStorage)
  case tensor(PickleTensor)
  /// A harmless object whose content does not matter here.
  case opaque(String)

  var integer: Int? {
    if case .integer(let value) = self { return Int(exactly: value) }
    return nil
  }

  /// Whether it is a tuple of at most as many items as a tensor has sides.
  var isShort: Bool {
    if case .tuple(let container) = self { container.items.count <= 64 } else { false }
  }

  /// The integers of a tuple such as a shape.
  var integers: [Int]? {
    guard case .tuple(let container) = self else { return nil }
    var result: [Int] = []
    for item in container.items {
      guard let value = item.integer else { return nil }
      result.append(value)
    }
    return result
  }

  var string: String? {
    if case .string(let value) = self { return value }
    return nil
  }
}

/// The items of a tuple or list, or the keys and values of a dictionary in turn.
///
/// A class because pickles fill containers after storing references to them. The interpreter
/// empties all of them when it is done: a hostile file can nest or link them so that releasing
/// them one inside the other would overflow the stack, or never happen.
final class PickleContainer {
  var items: [PickleValue]

  init(_ items: [PickleValue] = []) { self.items = items }

  /// Keys and values of a dictionary in order; with a key that comes twice the last value counts.
  var entries: [(key: String, value: PickleValue)] {
    var result: [(key: String, value: PickleValue)] = []
    var positions: [String: Int] = [:]
    for index in stride(from: 0, to: items.count - 1, by: 2) {
      guard let key = items[index].string else { continue }
      if let position = positions[key] {
        result[position].value = items[index + 1]
      } else {
        positions[key] = result.count
        result.append((key, items[index + 1]))
      }
    }
    return result
  }
}

/// A storage of a PyTorch file: a run of elements that tensors look into.
struct PickleStorage: Sendable {
  let key: String
  let elementType: ElementType
  let count: Int
}

/// A tensor of a PyTorch file: a strided look into a storage.
struct PickleTensor: Sendable {
  let storage: PickleStorage
  let offset: Int
  let shape: [Int]
  let strides: [Int]
}

/// The functions and classes that a pickle may name. All are interpreted here; none is run.
enum PickleGlobal {
  case rebuildTensor
  case rebuildTensorVersion2
  case rebuildParameter
  case orderedDictionary
  case size
  case storage(ElementType)
  /// A class of plain data that training scripts leave in checkpoints; becomes ``PickleValue/opaque``.
  case inert(String)

  init?(module: String, name: String) {
    switch (module, name) {
    case ("torch._utils", "_rebuild_tensor"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensorVersion2
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch", "Size"): self = .size
    case ("torch", let name) where Self.storages[name] != nil:
      guard let type = Self.storages[name] else { return nil }
      self = .storage(type)
    case _ where Self.inertNames.contains("\(module).\(name)"):
      self = .inert("\(module).\(name)")
    default: return nil
    }
  }

  private static let storages: [String: ElementType] = [
    "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    "BFloat16Storage": .bfloat16, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
  ]

  private static let inertNames: Set<String> = [
    "argparse.Namespace", "collections.defaultdict", "collections.Counter", "torch.device",
    "torch.float16", "torch.float32", "torch.float64", "torch.bfloat16", "torch.int64",
    "torch.uint8", "torch.int8", "torch.int16", "torch.int32", "torch.bool",
    "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype",
    "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct", "numpy.ndarray",
    "_codecs.encode", "builtins.set", "__builtin__.set", "builtins.dict", "builtins.list",
    "builtins.frozenset", "builtins.complex", "collections.deque", "datetime.datetime",
    "datetime.timedelta", "types.SimpleNamespace", "pathlib.PosixPath", "pathlib.PurePosixPath",
    "pathlib.WindowsPath", "pathlib.PureWindowsPath",
    "lightning_fabric.utilities.data.AttributeDict",
    "lightning.fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
  ]
}
