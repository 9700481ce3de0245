// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import Testing

/// Values that arithmetic on another processor may change a little are compared loosely; everything else
/// exactly.
@Suite("Files of earlier versions", .tags(.processes), .endsSometime)
struct EarlierVersionTests {
  private static func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  /// The rows of a CSV file without quotes, by the names of its columns.
  private static func table(_ text: String) -> [[String: String]] {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { row in
      Dictionary(zip(lines[0], row)) { first, _ in first }
    }
  }

  @Test("There are such files") func present() {
    #expect(EarlierVersion.all.map(\.name).contains("0.1"))
  }

  @Test(
    "Networks, as blocks and as graphs, have the same costs", arguments: EarlierVersion.all,
    ["blocks.yaml", "network.yaml", "network.json"])
  func networks(version: EarlierVersion, file: String) throws {
    let stored = try Self.object(
      try version.text("costs.json"))
    let described = try Muxnet.json(["describe", version.path(file), "--json"])
    for key in [
      "parameters", "multiplyAdds", "paperMultiplyAdds", "activations", "peakActivationBytes",
      "classes", "inputChannels",
    ] {
      let value = try #require(stored[key] as? Int)
      #expect(described[key] as? Int == value, "\(key)")
    }
  }

  private func probabilities(_ text: String) throws -> [String: [String: Double]] {
    let images = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    var result: [String: [String: Double]] = [:]
    for image in images {
      let path = try #require(image["path"] as? String)
      for guess in try #require(image["guesses"] as? [[String: Any]]) {
        let label = try #require(guess["label"] as? String)
        result[path, default: [:]][label] = try #require(guess["probability"] as? Double)
      }
    }
    return result
  }

  @Test(
    "Weights and packed files answer as they did", arguments: EarlierVersion.all,
    [
      ("whole", "float32", 1e-4), ("whole/best.safetensors", "float32", 1e-4),
      ("float32.muxnet", "float32", 1e-4), ("bfloat16.muxnet", "bfloat16", 0.02),
      ("int8.muxnet", "int8", 0.02),
    ])
  func predictions(version: EarlierVersion, weights: (String, String, Double)) throws {
    let (file, answers, tolerance) = weights
    let stored = try probabilities(
      try version.text("\(answers).json"))
    let outcome = try Muxnet.run(
      ["predict", "pictures", "--weights", file, "--top", "10", "--json"], in: version.path(""))
    #expect(outcome.code == 0, "\(outcome.errors)")
    let predicted = try probabilities(outcome.output)
    #expect(Set(predicted.keys) == Set(stored.keys) && stored.count == 4)
    for (image, shares) in stored {
      for (label, share) in shares {
        let other = try #require(predicted[image]?[label])
        #expect(abs(other - share) < tolerance, "\(image), \(label): \(other), was \(share)")
      }
    }
  }

  @Test(
    "A study goes on with the networks that its version would have asked for",
    arguments: EarlierVersion.all, ["guided", "moead", "evolution", "nsga2", "random"])
  func studies(version: EarlierVersion, study: String) throws {
    let folder = try TemporaryFolder()
    let storage = try version.copy("studies.db", to: folder)
    let run = try Muxnet.run([
      "search", "run", study, "--storage", storage, "--trials", "14", "--workers", "1", "--quiet",
    ])
    #expect(run.code == 0, "\(run.errors)")
    let export = try Muxnet.run(["search", "export", study, "--storage", storage])
    #expect(export.code == 0, "\(export.errors)")
    let trials = Self.table(export.output)
    let stored = Self.table(
      try version.text("\(study).csv"))
    #expect(trials.count == 14 && stored.count == 14)
    for (trial, old) in zip(trials, stored) {
      for column in ["number", "state", "error", "params", "madds", "key"] {
        let value = try #require(old[column])
        #expect(trial[column] == value, "trial \(old["number"] ?? "?"), \(column)")
      }
    }
  }

  #if TORCH
    @Test("A training that was stopped goes on to the same end", arguments: EarlierVersion.all)
    func resume(version: EarlierVersion) throws {
      let folder = try TemporaryFolder()
      let run = try version.copy("stopped", to: folder)
      let outcome = try Muxnet.run(["train", "--resume", run, "--time-budget", "10", "--quiet"])
      #expect(outcome.code == 0, "\(outcome.errors)")
      let rows = Self.table(try String(contentsOfFile: "\(run)/summary.csv", encoding: .utf8))
      let stored = Self.table(
        try version.text("whole/summary.csv"))
      #expect(rows.count == 6 && stored.count == 6)
      for (row, old) in zip(rows, stored) {
        #expect(row["step"] == old["step"])
        #expect(row["learning_rate"] == old["learning_rate"])
        // Roundings of another processor grow over the steps.
        for (column, tolerance) in [("train_loss", 0.05), ("val_loss", 0.1)] {
          let value = try #require(row[column].flatMap(Double.init))
          let before = try #require(old[column].flatMap(Double.init))
          #expect(abs(value - before) < tolerance, "epoch \(old["epoch"] ?? "?"), \(column)")
        }
      }
    }
  #endif
}
