// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXWeights

/// Reads a pickle without running any code: a stack machine that knows only the instructions and
/// the few names that files of tensors need. Everything else is an error.
struct PickleInterpreter {
  /// The most bytes, and the most objects, that a pickle may have. The tensors' elements are not in
  /// it; a network of 10,000 tensors takes about 1 MB and 200,000 objects.
  static let maximumByteCount = 256 << 20
  static let maximumObjectCount = 8_000_000

  private var reader: ByteReader
  private let path: String
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var containers: [PickleContainer] = []
  /// Items that were copied from one container into another, at most one for each byte: a list that
  /// is given to many dictionaries would make more of them than the file says.
  private var copiedItems = 0
  /// The storages seen so far, by key.
  private(set) var storages: [String: PickleStorage] = [:]

  /// An interpreter that starts at a byte of the file; `path` is for messages.
  init(_ region: ByteRegion, offset: Int = 0, path: String) {
    reader = ByteReader(region, offset: offset)
    self.path = path
  }

  /// The byte after the last one read.
  var offset: Int { reader.offset }

  /// Runs to the pickle's end. The value is lent to `body`, because the containers are emptied
  /// afterwards (see ``PickleContainer``).
  mutating func run<Result>(
    _ body: (PickleValue) throws(PyTorchFileError) -> Result
  ) throws(PyTorchFileError) -> Result {
    defer { releaseEverything() }
    while true {
      guard let code = reader.integer(UInt8.self) else { throw failure("it ends too early") }
      guard reader.offset <= Self.maximumByteCount, containers.count < Self.maximumObjectCount,
        stack.count < Self.maximumObjectCount, memo.count < Self.maximumObjectCount
      else { throw failure("it is too large") }
      if code == UInt8(ascii: ".") { return try body(try pop()) }
      try execute(code)
    }
  }

  private mutating func releaseEverything() {
    stack = []
    memo = [:]
    for container in containers { container.items = [] }
    containers = []
  }

  private func failure(_ what: String) -> PyTorchFileError {
    PyTorchFileError(path, nil, .pickle(what, offset: reader.offset))
  }

  // MARK: Stack

  private mutating func push(_ value: PickleValue) { stack.append(value) }

  private mutating func pop() throws(PyTorchFileError) -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw failure("a value is missing")
    }
    return value
  }

  /// Everything above the topmost mark, which is taken too.
  private mutating func popToMark() throws(PyTorchFileError) -> [PickleValue] {
    guard let mark = marks.popLast(), mark <= stack.count else {
      throw failure("a mark is missing")
    }
    let items = [PickleValue](stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  private mutating func pop(_ count: Int) throws(PyTorchFileError) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure("a value is missing") }
    let items = [PickleValue](stack.suffix(count))
    stack.removeLast(count)
    return items
  }

  private mutating func container(_ items: [PickleValue] = []) -> PickleContainer {
    let container = PickleContainer(items)
    containers.append(container)
    return container
  }

  // MARK: Operands

  private mutating func operand<Value: FixedWidthInteger & BitwiseCopyable>(
    _ type: Value.Type
  ) throws(PyTorchFileError) -> Int {
    guard let value = reader.integer(type), let result = Int(exactly: value) else {
      throw failure("an operand is cut off")
    }
    return result
  }

  private mutating func data(_ count: Int) throws(PyTorchFileError) -> ByteRegion {
    guard let region = reader.region(count) else { throw failure("a text is cut off") }
    return region
  }

  private mutating func text(_ count: Int) throws(PyTorchFileError) -> String {
    guard let text = String(validating: try data(count).array, as: UTF8.self) else {
      throw failure("a text is not UTF-8")
    }
    return text
  }

  private mutating func line() throws(PyTorchFileError) -> String {
    guard let line = reader.line(), let text = String(validating: line.array, as: UTF8.self)
    else { throw failure("a line is cut off") }
    return text
  }

  private mutating func longInteger(_ count: Int) throws(PyTorchFileError) {
    let bytes = try data(count).array
    guard bytes.count <= 8 else { return push(.bigInteger(bytes)) }
    var value: UInt64 = bytes.last.map { $0 >= 0x80 } == true ? .max : 0
    for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
    push(.integer(Int64(bitPattern: value)))
  }

  // MARK: Instructions

  private mutating func execute(_ code: UInt8) throws(PyTorchFileError) {
    switch code {
    case 0x80: _ = try operand(UInt8.self)  // PROTO
    case 0x95: _ = try data(8)  // FRAME
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"):
      // POP takes a mark if nothing is above it.
      if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"):
      let value = try pop()
      push(value)
      push(value)
    case UInt8(ascii: "N"), 0x88, 0x89, UInt8(ascii: "K"), UInt8(ascii: "M"), UInt8(ascii: "J"),
      UInt8(ascii: "I"), UInt8(ascii: "L"), UInt8(ascii: "F"), UInt8(ascii: "G"), 0x8a, 0x8b:
      try executeNumber(code)
    case UInt8(ascii: "X"), UInt8(ascii: "U"), UInt8(ascii: "T"), UInt8(ascii: "B"),
      UInt8(ascii: "C"), UInt8(ascii: "V"), UInt8(ascii: "S"), 0x8c, 0x8d, 0x8e:
      try executeText(code)
    case UInt8(ascii: "q"), UInt8(ascii: "r"), UInt8(ascii: "p"), UInt8(ascii: "h"),
      UInt8(ascii: "j"), UInt8(ascii: "g"), 0x94:
      try executeMemo(code)
    case UInt8(ascii: "c"), UInt8(ascii: "R"), UInt8(ascii: "b"), UInt8(ascii: "Q"), 0x81, 0x93:
      try executeObject(code)
    default: try executeContainer(code)
    }
  }

  private mutating func executeNumber(_ code: UInt8) throws(PyTorchFileError) {
    switch code {
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.boolean(true))
    case 0x89: push(.boolean(false))
    case UInt8(ascii: "K"): push(.integer(Int64(try operand(UInt8.self))))
    case UInt8(ascii: "M"): push(.integer(Int64(try operand(UInt16.self))))
    case UInt8(ascii: "J"): push(.integer(Int64(try operand(Int32.self))))
    case 0x8a: try longInteger(try operand(UInt8.self))
    case 0x8b: try longInteger(try operand(Int32.self))
    case UInt8(ascii: "G"):
      guard let bits = reader.integer(UInt64.self) else { throw failure("a number is cut off") }
      push(.float(Double(bitPattern: bits.byteSwapped)))
    case UInt8(ascii: "F"):
      guard let value = Double(try line()) else { throw failure("not a number") }
      push(.float(value))
    default:
      var digits = try line()
      if digits.hasSuffix("L") { digits.removeLast() }
      guard let value = Int64(digits) else { throw failure("not a number") }
      push(.integer(value))
    }
  }

  private mutating func executeText(_ code: UInt8) throws(PyTorchFileError) {
    switch code {
    case UInt8(ascii: "X"): push(.string(try text(try operand(UInt32.self))))
    case 0x8c: push(.string(try text(try operand(UInt8.self))))
    case 0x8d: push(.string(try text(try operand(UInt64.self))))
    case UInt8(ascii: "U"): push(.string(try text(try operand(UInt8.self))))
    case UInt8(ascii: "T"): push(.string(try text(try operand(Int32.self))))
    case UInt8(ascii: "B"): push(.bytes(try data(try operand(UInt32.self))))
    case UInt8(ascii: "C"): push(.bytes(try data(try operand(UInt8.self))))
    case 0x8e: push(.bytes(try data(try operand(UInt64.self))))
    case UInt8(ascii: "V"): push(.string(try line()))
    default: push(.string(try line().trimmingQuotes()))
    }
  }

  private mutating func executeMemo(_ code: UInt8) throws(PyTorchFileError) {
    switch code {
    case UInt8(ascii: "q"): try store(try operand(UInt8.self))
    case UInt8(ascii: "r"): try store(try operand(UInt32.self))
    case UInt8(ascii: "p"): try store(Int(try line()) ?? -1)
    case 0x94: try store(memo.count)
    case UInt8(ascii: "h"): try recall(try operand(UInt8.self))
    case UInt8(ascii: "j"): try recall(try operand(UInt32.self))
    default: try recall(Int(try line()) ?? -1)
    }
  }

  private mutating func store(_ index: Int) throws(PyTorchFileError) {
    guard stack.count > (marks.last ?? 0), let value = stack.last, index >= 0 else {
      throw failure("nothing to remember")
    }
    memo[index] = value
  }

  private mutating func recall(_ index: Int) throws(PyTorchFileError) {
    guard let value = memo[index] else { throw failure("nothing remembered under \(index)") }
    push(value)
  }

  private mutating func executeContainer(_ code: UInt8) throws(PyTorchFileError) {
    switch code {
    case UInt8(ascii: ")"): push(.tuple(container()))
    case UInt8(ascii: "t"): push(.tuple(container(try popToMark())))
    case 0x85: push(.tuple(container(try pop(1))))
    case 0x86: push(.tuple(container(try pop(2))))
    case 0x87: push(.tuple(container(try pop(3))))
    case UInt8(ascii: "]"), 0x8f: push(.list(container()))
    case UInt8(ascii: "l"), 0x91: push(.list(container(try popToMark())))
    case UInt8(ascii: "a"): try append([try pop()])
    case UInt8(ascii: "e"), 0x90: try append(try popToMark())
    case UInt8(ascii: "}"): push(.dictionary(container()))
    case UInt8(ascii: "d"):
      let items = try popToMark()
      push(.dictionary(container()))
      try insert(items)
    case UInt8(ascii: "s"): try insert(try pop(2))
    case UInt8(ascii: "u"): try insert(try popToMark())
    default:
      throw failure("the instruction 0x\(String(code, radix: 16)) is not one that is understood")
    }
  }

  private mutating func append(_ items: [PickleValue]) throws(PyTorchFileError) {
    switch stack.last {
    case .list(let list): list.items.append(contentsOf: items)
    case .opaque: break
    default: throw failure("items for something that is not a list")
    }
  }

  private mutating func insert(_ items: [PickleValue]) throws(PyTorchFileError) {
    guard items.count.isMultiple(of: 2) else { throw failure("a key without a value") }
    switch stack.last {
    case .dictionary(let dictionary): dictionary.items.append(contentsOf: items)
    case .opaque: break
    default: throw failure("entries for something that is not a dictionary")
    }
  }

  // MARK: Objects

  private mutating func executeObject(_ code: UInt8) throws(PyTorchFileError) {
    switch code {
    case UInt8(ascii: "c"):
      let module = try line()
      try pushGlobal(module, try line())
    case 0x93:
      let names = try pop(2)
      guard let module = names[0].string, let name = names[1].string else {
        throw failure("a name expected")
      }
      try pushGlobal(module, name)
    case UInt8(ascii: "Q"): try pushStorage(try pop())
    case UInt8(ascii: "b"): try build()
    default:
      let pair = try pop(2)
      try call(pair[0], pair[1])
    }
  }

  private mutating func pushGlobal(
    _ module: String, _ name: String
  ) throws(PyTorchFileError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      throw PyTorchFileError(path, nil, .forbiddenGlobal("\(module).\(name)"))
    }
    push(.global(global))
  }

  /// Sets an object's attributes. Those of an ordered dictionary are version notes of PyTorch.
  private mutating func build() throws(PyTorchFileError) {
    _ = try pop()
    switch stack.last {
    case .opaque, .dictionary: break
    default: throw failure("attributes for something that has none")
    }
  }

  private mutating func call(
    _ callee: PickleValue, _ argument: PickleValue
  ) throws(PyTorchFileError) {
    guard case .global(let global) = callee, case .tuple(let arguments) = argument else {
      throw PyTorchFileError(path, nil, .forbiddenCall("a value of the file"))
    }
    let items = arguments.items
    switch global {
    case .inert(let name): push(.opaque(name))
    case .orderedDictionary:
      let dictionary = container()
      // Python 2 wrote the entries as a list of pairs.
      if case .list(let pairs)? = items.first {
        copiedItems += 2 * pairs.items.count
        guard copiedItems <= reader.region.count else {
          throw failure("one list is copied into many dictionaries")
        }
        for case .tuple(let pair) in pairs.items where pair.items.count == 2 {
          dictionary.items.append(contentsOf: pair.items)
        }
      }
      push(.dictionary(dictionary))
    case .size:
      guard let sizes = items.first else { throw failure("a size without numbers") }
      push(sizes)
    case .rebuildTensor, .rebuildTensorVersion2: try pushTensor(items)
    case .rebuildParameter:
      guard let tensor = items.first, case .tensor = tensor else {
        throw failure("a parameter without a tensor")
      }
      push(tensor)
    case .storage(let type):
      throw PyTorchFileError(path, nil, .forbiddenCall("a storage of \(type.rawValue)"))
    }
  }

  private mutating func pushStorage(_ id: PickleValue) throws(PyTorchFileError) {
    guard case .tuple(let container) = id, container.items.count >= 5,
      container.items[0].string == "storage",
      case .global(.storage(let type)) = container.items[1],
      let key = container.items[2].string,
      let count = container.items[4].integer, count >= 0
    else { throw failure("a reference that is not to a storage of tensors") }
    let storage = PickleStorage(key: key, elementType: type, count: count)
    if let known = storages[key], known.elementType != type || known.count != count {
      throw failure("the storage “\(key)” is described twice, differently")
    }
    storages[key] = storage
    push(.storage(storage))
  }

  private mutating func pushTensor(_ arguments: [PickleValue]) throws(PyTorchFileError) {
    guard arguments.count >= 4, case .storage(let storage) = arguments[0],
      // Before they are copied: many tensors may share one long list of sides.
      arguments[2].isShort, arguments[3].isShort,
      let offset = arguments[1].integer, let shape = arguments[2].integers,
      let strides = arguments[3].integers
    else { throw failure("a tensor that is not described as PyTorch does") }
    push(
      .tensor(PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)))
  }
}

extension String {
  fileprivate func trimmingQuotes() -> String {
    guard count >= 2, let first, first == last, first == "'" || first == "\"" else { return self }
    return String(dropFirst().dropLast())
  }
}
