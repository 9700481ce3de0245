// SPDX-License-Identifier: Apache-2.0
import MUXNetworks
import MUXReport

extension Reproduction {
  /// ImageNet classification: counts, latency, accuracy.
  func table1() throws -> Exhibit {
    let place = "table 1"
    let accuracies = try results.accuracies(for: .table1)
      .filter { $0.data == "imagenet" }
    var columns: [ReportTable.Column] =
      [.init("network", "network", isNumeric: false), .init("type", "type", isNumeric: false)]
      + Self.countColumns
    for meter in meters {
      for batch in Self.batchSizes {
        columns.append(
          .init(
            "\(meter.name.lowercased().filter { $0.isLetter || $0.isNumber })_ms_batch\(batch)",
            "\(meter.name), batch \(batch) (ms)"))
      }
    }
    columns += [
      .init("cpu_ms_paper", "i7-8700K, batch 1 (ms)"),
      .init("gpu_ms_paper", "1080Ti, batch 64 (ms)"),
      .init("top1", "top-1 here (%)"), .init("top1_paper", "top-1 (%)"),
      .init("top5_paper", "top-5 (%)"),
    ]
    var failures: [String] = []
    let rows = try QuotedTables.table1.map { row -> [ReportValue] in
      let own = accuracies.first { $0.model == row.model }
      return try [ReportValue(row.network), ReportValue(row["type"])]
        + counts(row, place: place) + latencies(row, &failures)
        + [
          .quoted(row["cpu_ms"], place: place), .quoted(row["gpu_ms"], place: place),
          Self.cell(own), .quoted(row["top1"], place: place), .quoted(row["top5"], place: place),
        ]
    }
    var notes = [Self.countNote]
    if meters.isEmpty {
      notes.append("latencies were not measured in this call")
    } else {
      notes.append("latency: median of some runs of random weights on \(machine)")
    }
    return Exhibit(
      name: .table1, caption: "ImageNet classification: efficient networks, by hand and searched.",
      table: ReportTable(columns: columns, rows: rows),
      notes: notes + failures + Self.absentNote(QuotedTables.table1))
  }

  private func latencies(
    _ row: QuotedTables.Row, _ failures: inout [String]
  ) throws -> [ReportValue] {
    guard !meters.isEmpty else { return [] }
    guard let network = try network(row.model) else {
      return meters.flatMap { _ in Self.batchSizes.map { _ in ReportValue.none } }
    }
    return meters.flatMap { meter in
      Self.batchSizes.map { batch in
        progress("timing \(row.network), \(meter.name), batch \(batch)")
        do {
          let time = try meter.milliseconds(network, batch)
          return ReportValue(
            time.decimals(time < 100 ? 1 : 0), number: time, source: .computed)
        } catch {
          failures.append("\(row.network), \(meter.name), batch \(batch): \(error)")
          return .none
        }
      }
    }
  }

  /// Object detection on VOC 2007.
  func table2() throws -> Exhibit {
    let place = "table 2"
    let accuracies = try results.accuracies(for: .table2)
      .filter { $0.data == "voc2007" }
    let columns =
      [ReportTable.Column("network", "network", isNumeric: false)] + Self.countColumns
      + [.init("map", "mAP here (%)"), .init("map_paper", "mAP (%)")]
    let rows = try QuotedTables.table2.map { row -> [ReportValue] in
      try [ReportValue(row.network)] + counts(row, place: place) + [
        cell(row.model, or: accuracies.first { $0.model == row.model }),
        .quoted(row["map"], place: place),
      ]
    }
    return Exhibit(
      name: .table2, caption: "Object detection on PASCAL VOC 2007, images of 300×300.",
      table: ReportTable(columns: columns, rows: rows),
      notes: [Self.countNote] + runNotes + Self.absentNote(QuotedTables.table2))
  }

  /// Transfer to CIFAR.
  func table3() throws -> Exhibit {
    let place = "table 3"
    let accuracies = try results.accuracies(for: .table3)
    func measured(_ model: String, _ data: String) -> ResultsFolder.Accuracy? {
      accuracies.first { $0.study == "transfer" && $0.model == model && $0.data == data }
    }
    let columns =
      [ReportTable.Column("network", "network", isNumeric: false)] + Self.countColumns
      + [
        .init("cifar10", "CIFAR-10 here (%)"), .init("cifar10_paper", "CIFAR-10 (%)"),
        .init("cifar100", "CIFAR-100 here (%)"), .init("cifar100_paper", "CIFAR-100 (%)"),
      ]
    var rows = try QuotedTables.table3.map { row -> [ReportValue] in
      try [ReportValue(row.network)] + counts(row, classes: 10, place: place) + [
        Self.cell(measured(row.model, "cifar10")), .quoted(row["cifar10"], place: place),
        Self.cell(measured(row.model, "cifar100")), .quoted(row["cifar100"], place: place),
      ]
    }
    // What the paper's rows do not hold stands below under its own name: other networks, other trainings.
    for own in accuracies where own.data == "cifar10" || own.data == "cifar100" {
      if own.study == "transfer", QuotedTables.table3.contains(where: { $0.model == own.model }) {
        continue
      }
      let costs = try costs(own.model, classes: own.classes, inputSize: own.inputSize)
      rows.append([
        ReportValue("\(own.model), \(own.study)"), costs.map { .count($0.parameters) } ?? .none,
        .none, costs.map { .count($0.multiplyAdds) } ?? .none,
        costs.map { .count($0.paperMultiplyAdds) } ?? .none, .none,
        own.data == "cifar10" ? Self.cell(own) : .none, .none,
        own.data == "cifar100" ? Self.cell(own) : .none, .none,
      ])
    }
    return Exhibit(
      name: .table3, caption: "Transfer learning: top-1 accuracy on CIFAR-10 and CIFAR-100.",
      table: ReportTable(columns: columns, rows: rows),
      notes: [
        Self.countNote + ", with 10 classes"
          + (rows.count > QuotedTables.table3.count
            ? "; below the paper's rows, for the size and the classes of the training" : "")
      ] + Self.absentNote(QuotedTables.table3))
  }

  /// Transfer to ChestX-Ray14.
  func table4() throws -> Exhibit {
    let place = "table 4"
    let accuracies = try results.accuracies(for: .table4)
      .filter { $0.data == "chestxray14" }
    let columns =
      [ReportTable.Column("network", "method", isNumeric: false)] + Self.countColumns
      + [.init("auroc", "AUROC here (%)"), .init("auroc_paper", "AUROC (%)")]
    let rows = try QuotedTables.table4.map { row -> [ReportValue] in
      try [ReportValue(row.network)] + counts(row, classes: 14, place: place) + [
        row.model.isEmpty
          ? .none
          : cell(row.model, or: accuracies.first { $0.model == row.model }),
        .quoted(row["auroc"], place: place),
      ]
    }
    return Exhibit(
      name: .table4, caption: "Transfer learning on ChestX-Ray14: area under the ROC curve.",
      table: ReportTable(columns: columns, rows: rows),
      notes: [Self.countNote + ", with 14 outputs; CheXNet is DenseNet-121"] + runNotes)
  }
}
