// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// The zoo as a table in Markdown, for the README: what has been made by a command can be checked.
public enum ZooTable {
  /// The table of the networks whose names match a pattern, as in `muxnet models`. Of the whole
  /// zoo, the variants of the paper's ablation share one row.
  public static func markdown(matching pattern: String = "*") throws -> String {
    let all = ModelZoo.entries(matching: pattern)
    let shown = pattern == "*" ? all.filter { !isAblation($0.name) } : all
    var rows = try shown.map { entry -> [ReportValue] in
      let costs = try CostReport(try entry.network())
      return [
        ReportValue("`\(entry.name)`"), ReportValue(entry.summary),
        ReportValue(costs.parameters.grouped), ReportValue(costs.multiplyAdds.grouped),
        ReportValue(costs.paperMultiplyAdds.grouped), ReportValue(entry.reference ?? "–"),
      ]
    }
    if shown.count < all.count {
      rows.append([
        ReportValue("`mobilenetv2_*_mux`, `mobilenetv2_100_l*`"),
        ReportValue(
          "the paper's ablation of MobileNetV2: \(all.count - shown.count) variants with spatial"
            + " multiplexing, or leaving channels out"), .none, .none, .none, .none,
      ])
    }
    return ReportTable(
      columns: [
        .init("model", "model", isNumeric: false), .init("what", "what it is", isNumeric: false),
        .init("parameters", "parameters"), .init("multiply_adds", "multiply-adds"),
        .init("paper", "by the paper's count"),
        .init("reference", "weights load from", isNumeric: false),
      ], rows: rows
    ).markdown
  }

  private static func isAblation(_ name: String) -> Bool {
    name.hasPrefix("mobilenetv2_") && (name.hasSuffix("_mux") || name.contains("_l"))
  }
}
