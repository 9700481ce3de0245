// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXSearch
import Testing

/// Writes record files in the published format: there is no such file in the tests' data.
private struct RecordWriter {
  static func crc(_ bytes: [UInt8]) -> [UInt8] {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
      value ^= UInt32(byte)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
    }
    value = ~value
    return little((value >> 15 | value << 17) &+ 0xa282_ead8)
  }

  static func little<Word: FixedWidthInteger>(_ word: Word) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian) { [UInt8]($0) }
  }

  static func record(_ text: String) -> [UInt8] {
    let bytes = [UInt8](text.utf8)
    let length = little(UInt64(bytes.count))
    return length + crc(length) + bytes + crc(bytes)
  }

  static func varint(_ value: Int) -> [UInt8] {
    value < 128 ? [UInt8(value)] : [UInt8(value & 127 | 128)] + varint(value >> 7)
  }

  /// A training with the same accuracies at start, half and end, but for the test accuracy.
  static func metrics(parameters: Int, time: Double, test: [Double]) -> String {
    var message: [UInt8] = []
    for (index, accuracy) in test.enumerated() {
      let numbers = [Double(index) * 54, time * Double(index) / 2, 0.9, 0.8, accuracy]
      var body: [UInt8] = []
      for (field, number) in numbers.enumerated() {
        body += [UInt8((field + 1) << 3 | 1)] + little(number.bitPattern)
      }
      body += [6 << 3 | 2, 2] + [UInt8]("ck".utf8)
      message += [1 << 3 | 2] + varint(body.count) + body
    }
    message += [2 << 3] + varint(parameters) + [3 << 3 | 1] + little((time * 2).bitPattern)
    return Data(message).base64EncodedString()
  }

  static func row(
    _ cell: NASBench101Cell, epochs: Int, time: Double, test: Double
  ) -> [UInt8] {
    let digits = cell.matrix.joined().map(String.init).joined()
    let metrics = metrics(
      parameters: cell.parameterCount, time: time, test: [0.1, test / 2, test])
    return record(
      #"["\#(cell.publishedHash)", \#(epochs), "\#(digits)", "\#(cell.labels.joined(separator: ","))", "\#(metrics)"]"#
    )
  }
}

@Suite struct NASBench101RecordTests {
  private func temporary(_ bytes: [UInt8]) throws -> URL {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).tfrecord")
    try Data(bytes).write(to: url)
    return url
  }

  /// Some cells with accuracies that follow from their parameters.
  private let cells = NASBench101Enumeration.cells(vertices: 4)

  private func error(_ cell: NASBench101Cell) -> Double {
    5 + 20 / log10(Double(cell.parameterCount))
  }

  @Test("Repeats are averaged, other epochs left out")
  func table() throws {
    var bytes: [UInt8] = []
    for cell in cells {
      bytes += RecordWriter.row(cell, epochs: 12, time: 1, test: 0.5)
      for repetition in -1...1 {
        bytes += RecordWriter.row(
          cell, epochs: 108, time: 1000 + 10 * Double(repetition),
          test: 1 - (error(cell) + Double(repetition)) / 100)
      }
    }
    let url = try temporary(bytes)
    defer { try? FileManager.default.removeItem(at: url) }
    let table = try NASBench101(reading: url)
    #expect(table.count == 84)
    #expect(table.objectives.map(\.name) == ["error", "params", "time"])
    #expect(table.objectives[1].scale == cells.map { Double($0.parameterCount) }.max())
    for cell in cells {
      let values = try #require(table.evaluate(table.space.genome(cell)))
      #expect(abs(values[0] - error(cell)) < 1e-9)
      #expect(values[1] == Double(cell.parameterCount))
      #expect(abs(values[2] - 1000) < 1e-9)
    }
  }

  @Test("Figure 9's experiment runs on a record file and never asks for a cell that it lacks")
  func experiment() throws {
    let bytes = cells.flatMap {
      RecordWriter.row($0, epochs: 108, time: 900, test: 1 - error($0) / 100)
    }
    let url = try temporary(bytes)
    defer { try? FileManager.default.removeItem(at: url) }
    let table = try NASBench101(reading: url)
    var experiment = SearchExperiment(
      table,
      targets: [
        ReferenceTarget("a", ["error": 8, "params": 1e6]), ReferenceTarget("b", ["params": 9e6]),
      ])
    experiment.budgets = [10, 40]
    experiment.seeds = 2
    for contestant in SearchExperiment.contestants {
      let rows = try experiment.run(contestant)
      #expect(rows.map(\.budget) == [10, 40, 10, 40], "\(contestant.name)")
      let optimum = table.optimum(try experiment.measure())
      for row in rows {
        for (value, best) in zip(row.best, optimum) { #expect(value >= best - 1e-12) }
      }
      for target in 0..<2 { #expect(rows[1].best[target] <= rows[0].best[target]) }
    }
  }

  @Test("The benchmark takes a user's file and chooses reference points from it")
  func benchmark() throws {
    let bytes = cells.flatMap {
      RecordWriter.row($0, epochs: 108, time: 900, test: 1 - error($0) / 100)
    }
    let url = try temporary(bytes)
    let output = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    defer {
      try? FileManager.default.removeItem(at: url)
      try? FileManager.default.removeItem(at: output)
    }
    let table = try NASBench101(reading: url)
    // Larger nets are better and take as long: every cell with a size of its own is on the front, which
    // is in order of error here.
    let points = try BenchmarkTargets().targets(of: table, .report)
    let errors = points.compactMap { $0.values["error"] }
    #expect(errors == errors.sorted() && Set(errors).count == 3)
    #expect(points.allSatisfy { Set($0.values.keys) == ["error", "params", "time"] })
    #expect(try BenchmarkTargets().targets(of: table, .tune).allSatisfy { !points.contains($0) })
    var options = SearchBenchmark.Options(data: url)
    options.tables = ["nasbench101"]
    options.budgets = [10, 30]
    options.seeds = 2
    options.algorithms = ["guided", "evolution"]
    options.output = output
    let reports = try SearchBenchmark(options).run()
    #expect(reports[0].lines.map(\.table).allSatisfy { $0 == "nas-bench-101" })
    #expect(reports[0].lines.map(\.budget) == [10, 10, 30, 30])
    #expect(reports[0].lines.allSatisfy { $0.distance >= -1e-12 && $0.distance < 1 })
    let runs = try String(contentsOf: output.appending(path: "runs.csv"), encoding: .utf8)
    #expect(try SearchExperiment.Row.read(csv: runs, path: "runs.csv").count == 8)
    options.tables = ["nasbench101", "nasbench201"]
    let two = options
    let failure = try #require(throws: SearchError.self) { _ = try SearchBenchmark(two).run() }
    #expect("\(failure)".contains("is one file, but there are 2 tables"))
  }

  @Test("Damaged files are errors that name the file and the place")
  func damage() throws {
    let good = RecordWriter.row(cells[0], epochs: 108, time: 1, test: 0.9)
    var flipped = good + good
    flipped[good.count + 40] ^= 1
    var badLength = good
    badLength[0] ^= 1
    let cases: [(bytes: [UInt8], word: String)] = [
      (good + Array(good.dropLast(7)), "byte \(good.count) is cut off"),
      (good + Array(good.prefix(5)), "byte \(good.count) is cut off"),
      (flipped, "byte \(good.count) fails its checksum"),
      (badLength, "byte 0 has a length that fails its checksum"),
      (RecordWriter.record("[1, 2]"), "record 0: is not a NAS-Bench-101 record"),
      (RecordWriter.record("no JSON"), "record 0: is not a NAS-Bench-101 record"),
      (
        RecordWriter.record(#"["h", 108, "0101", "input,output", "AAAA"]"#),
        "record 0: its cell is not valid"
      ),
      (
        RecordWriter.record(#"["h", 108, "0100", "input,output", "CQ=="]"#),
        "record 0: its metrics are not those"
      ),
      (
        RecordWriter.row(cells[0], epochs: 36, time: 1, test: 0.9), "has no trainings of 108 epochs"
      ),
      ([], "has no trainings of 108 epochs"),
    ]
    for (bytes, word) in cases {
      let url = try temporary(bytes)
      defer { try? FileManager.default.removeItem(at: url) }
      let error = try #require(throws: SearchError.self) { try NASBench101(reading: url) }
      #expect("\(error)".contains(word))
      #expect("\(error)".contains(url.lastPathComponent))
    }
    let missing = try #require(throws: SearchError.self) {
      try NASBench101(reading: URL(filePath: "/nonexistent.tfrecord"))
    }
    #expect("\(missing)".contains("there is no such file"))
  }
}
