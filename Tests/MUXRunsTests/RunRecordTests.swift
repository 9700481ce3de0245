// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworkFiles
import MUXNetworks
import MUXRuns
import MUXTasks
import MUXTestSupport
import Testing

@Suite("Runs, read from their folders")
struct RunRecordTests {
  @Test("epochs, settings, costs and the way it ended are those of the files")
  func whole() throws {
    let run = try FinishedRun()
    let record = try RunRecord(path: run.path)
    let lines = try String(contentsOfFile: "\(run.path)/summary.csv", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    #expect(record.name == "whole" && record.epochs.count == lines.count - 1)
    let column = try #require(lines[0].firstIndex(of: "val_top1"))
    let best = try #require(lines.indices.dropFirst().last { lines[$0].last == "1" })
    #expect(record.best?[Classification.top1] == Double(lines[best][column]))
    #expect(record.metrics.map(\.name) == ["loss", "top1", "top5"])
    #expect(record.rankingMetric == Classification.top1)
    guard
      case .network(let network) = try NetworkFile.read(URL(filePath: "\(run.path)/network.json"))
    else { throw CocoaError(.fileReadCorruptFile) }
    #expect(record.parameters == (try CostReport(network).parameters))
    #expect(record.state.hasPrefix("completed, ") && !record.isTraining)
    #expect(record.settings.flattened.contains { $0 == ("augmentation.area", "[0.08, 1]") })
    // A file in the folder will do as well.
    #expect(try RunRecord(path: "\(run.path)/best.safetensors").folder.path == run.path)
  }

  @Test("a run that another process works on says so, and has no report")
  func stillTraining() throws {
    let run = try FinishedRun()
    let lock = try RunLock(run.path)
    let record = try RunRecord(path: run.path)
    withExtendedLifetime(lock) {}
    #expect(record.isTraining && record.state.hasPrefix("still training, "))
    let error = #expect(throws: RunFolderError.self) { try RunReport.check(record) }
    #expect(
      error?.description.contains("is still training (\(record.epochs.count) epochs done)") == true)
  }

  @Test("what is no run, has no epoch or is damaged is refused in one line")
  func refused() throws {
    let run = try FinishedRun()
    #expect(throws: RunFolderError.noRun(path: run.folder.path)) {
      try RunRecord(path: run.folder.path)
    }
    #expect(throws: RunFolderError.noRun(path: "/nowhere")) { try RunRecord(path: "/nowhere") }
    try run.edit("summary.csv") { $0.split(separator: "\n")[0] + "\n1,2\n" }
    let error = #expect(throws: CheckpointError.self) { try RunRecord(path: run.path) }
    #expect("\(error as (any Error)?)".contains("line 2 has 2 cells"))
    try run.edit("summary.csv") { _ in "{{{\n" }
    let rubbish = #expect(throws: CheckpointError.self) { try RunRecord(path: run.path) }
    #expect("\(rubbish as (any Error)?)".contains("its first line"))
    try FileManager.default.removeItem(atPath: "\(run.path)/summary.csv")
    let empty = try RunRecord(path: run.path)
    #expect(throws: RunFolderError.noEpoch(path: run.path)) { try RunReport.check(empty) }
    try run.edit("configuration.yaml") { $0 + "task: juggling\n" }
    #expect(throws: (any Error).self) { try RunRecord(path: run.path) }
  }
}
