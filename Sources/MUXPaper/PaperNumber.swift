// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXReport

extension ReportValue {
  /// A count computed now.
  static func count(_ value: Int) -> ReportValue {
    ReportValue(value.grouped, number: Double(value), source: .computed)
  }

  /// A figure of the paper as printed, such as `3.4M`; an empty cell for an empty text.
  static func quoted(_ text: String, place: String) -> ReportValue {
    text.isEmpty
      ? .none
      : ReportValue(text, number: PaperNumber.value(text), source: .quoted(place: place))
  }
}

/// Numbers as the paper prints them.
enum PaperNumber {
  /// `218M` as 218,000,000; nil if the text is no number.
  static func value(_ text: String) -> Double? {
    let units: [Character: Double] = ["M": 1e6, "B": 1e9, "k": 1e3]
    guard let last = text.last else { return nil }
    guard let unit = units[last] else { return Double(text) }
    return Double(text.dropLast()).map { $0 * unit }
  }
}
