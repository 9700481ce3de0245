// SPDX-License-Identifier: Apache-2.0
import MUXImages

/// A list of images of ChestX-ray14, one a line, with nothing else or with 14 flags.
struct ChestXRayList {
  let path: String
  /// The images in their order.
  private(set) var names: [String] = []
  /// The numbers of the findings of each image, where the list has flags.
  private(set) var labels: [String: [Int]] = [:]
  private(set) var patients: Set<String> = []

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
  private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0a || byte == 0x0d }

  /// Whether more than a name stands in the first line.
  static func hasFlags(_ bytes: [UInt8]) -> Bool {
    let line = bytes.split(maxSplits: 1, whereSeparator: isLineEnd).first ?? []
    return line.split(whereSeparator: isBlank).count > 1
  }

  /// Reads the bytes of a list.
  /// - Throws: `DataSetError` for the first line that is malformed or names an image again.
  init(_ bytes: [UInt8], path: String) throws(DataSetError) {
    self.path = path
    let withFlags = Self.hasFlags(bytes)
    var entries = ChestXRayEntries(path: path)
    var number = 0
    var previous: UInt8 = 0x0a
    var start = 0
    for place in 0...bytes.count {
      let byte = place < bytes.count ? bytes[place] : 0x0a
      guard Self.isLineEnd(byte) else { continue }
      // CR and LF together end one line.
      if !(byte == 0x0a && previous == 0x0d && start == place) { number += 1 }
      previous = byte
      let fields = bytes[start..<place].split(whereSeparator: Self.isBlank)
      start = place + 1
      guard let first = fields.first else { continue }
      let flags = fields.dropFirst()
      let isRight = withFlags ? flags.count == ChestXRay14.findings.count : flags.isEmpty
      guard isRight, flags.allSatisfy({ $0.elementsEqual([0x30]) || $0.elementsEqual([0x31]) })
      else {
        entries.note(
          number,
          withFlags
            ? "a name and 14 flags of 0 or 1 must stand in each line, as in the first"
            : "one name must stand in each line, as in the first")
        continue
      }
      let findings = flags.enumerated().filter { $1.elementsEqual([0x31]) }.map(\.offset)
      entries.add(String(decoding: first, as: UTF8.self), findings, line: number)
    }
    (names, labels) = try entries.checked()
    patients = Set(names.compactMap(ChestXRay14.patient(ofImage:)))
  }
}

/// A table of images of ChestX-ray14 and their findings, as comma-separated values.
struct ChestXRayTable {
  let path: String
  /// The images in their order.
  let names: [String]
  /// The numbers of the findings of each image.
  let labels: [String: [Int]]

  private static let none = "No Finding"
  private static let imageColumns = ["image index", "image", "path", "file", "filename"]

  /// Reads the bytes of a table; nil where its first line names no such columns.
  /// - Throws: `DataSetError` for the first line that is malformed, has an unknown finding or names an
  ///   image again.
  init?(_ bytes: [UInt8], path: String) throws(DataSetError) {
    let text: CommaSeparatedText
    do throws(CommaSeparatedText.Failure) { text = try CommaSeparatedText(bytes) } catch {
      throw .wrongLabels(path: path, line: error.line, reason: error.reason)
    }
    guard let header = text.rows.first?.fields,
      let image = header.firstIndex(where: { Self.imageColumns.contains($0.lowercased()) })
    else { return nil }
    let named = header.firstIndex { $0.lowercased() == "finding labels" }
    let flags = ChestXRay14.findings.map { header.firstIndex(of: $0) }
    guard named != nil || !flags.contains(nil) else { return nil }
    // The header of the data set names the columns behind these in another number than they have.
    let needed = max(image, named ?? flags.compactMap { $0 }.max() ?? 0) + 1
    var entries = ChestXRayEntries(path: path)
    for row in text.rows.dropFirst() {
      guard row.fields.count >= needed else {
        entries.note(row.line, "\(row.fields.count) fields instead of at least \(needed)")
        continue
      }
      switch named.map({ Self.findings(named: row.fields[$0]) })
        ?? Self.findings(flags.map { $0.map { row.fields[$0] } ?? "" })
      {
      case .success(let findings): entries.add(row.fields[image], findings, line: row.line)
      case .failure(let problem): entries.note(row.line, problem.reason)
      }
    }
    self.path = path
    (names, labels) = try entries.checked()
  }

  private struct Problem: Error { var reason: String }

  private static func findings(named text: String) -> Result<[Int], Problem> {
    let names = text.split(separator: "|").map { $0.trimmingPrefix(" ") }
    if names.map(String.init) == [none] { return .success([]) }
    var numbers: [Int] = []
    for name in names {
      guard let number = ChestXRay14.findings.firstIndex(of: String(name)) else {
        let reason =
          name == none
          ? "'\(none)' stands beside findings" : "'\(name)' is not one of the 14 findings"
        return .failure(Problem(reason: reason))
      }
      numbers.append(number)
    }
    guard !numbers.isEmpty else {
      return .failure(Problem(reason: "there is no finding; '\(none)' says that there is none"))
    }
    return .success(numbers)
  }

  private static func findings(_ flags: [String]) -> Result<[Int], Problem> {
    var numbers: [Int] = []
    for (number, flag) in flags.enumerated() {
      switch flag {
      case "1", "1.0": numbers.append(number)
      case "0", "0.0": break
      default:
        return .failure(
          Problem(
            reason: "'\(flag)' in the column '\(ChestXRay14.findings[number])' is neither 0 nor 1"))
      }
    }
    return .success(numbers)
  }
}

/// Lines of a list or table on their way into a data set.
private struct ChestXRayEntries {
  let path: String
  private var names: [String] = []
  private var labels: [String: [Int]] = [:]
  private var lines: [String: Int] = [:]
  private var problem: (line: Int, reason: String)?
  private var problems = 0

  init(path: String) { self.path = path }

  /// Keeps an image with its findings.
  mutating func add(_ name: String, _ findings: [Int], line: Int) {
    guard ChestXRay14.patient(ofImage: name) != nil else {
      return note(line, "'\(name)' does not begin with the number of a patient (00000013_005.png)")
    }
    if let first = lines.updateValue(line, forKey: name) {
      return note(line, "\(name) stands in line \(first) already")
    }
    names.append(name)
    labels[name] = findings
  }

  /// Keeps what is wrong with a line.
  mutating func note(_ line: Int, _ reason: String) {
    if problem == nil { problem = (line, reason) }
    problems += 1
  }

  /// The images in their order, with their findings.
  func checked() throws(DataSetError) -> ([String], [String: [Int]]) {
    if let problem {
      let more = problems - 1
      throw .wrongLabels(
        path: path, line: problem.line,
        reason: problem.reason
          + (more > 0 ? " (and \(more) more such line\(more == 1 ? "" : "s"))" : ""))
    }
    guard !names.isEmpty else {
      throw .wrongLabels(path: path, line: 1, reason: "it names no image")
    }
    return (names, labels)
  }
}
