// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A value of a database.
enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int)
  case real(Double)
  case text(String)

  init(_ value: Int?) { self = value.map { .integer($0) } ?? .null }
  init(_ value: Double?) { self = value.map { .real($0) } ?? .null }
  init(_ value: String?) { self = value.map { .text($0) } ?? .null }
  init(_ value: Date?) { self = value.map { .real($0.timeIntervalSince1970) } ?? .null }
}

/// A row by the names of its columns. Databases that answer in text are read as well.
struct SQLRow {
  /// The places of the columns, which all rows of an answer share.
  private let places: [String: Int]
  private let values: [SQLValue]

  /// - Parameters:
  ///   - places: The places of the columns by their names.
  ///   - values: The values in that order.
  init(_ places: [String: Int], _ values: [SQLValue]) {
    self.places = places
    self.values = values
  }

  private func value(_ column: String) -> SQLValue? { places[column].map { values[$0] } }

  func text(_ column: String) -> String? {
    switch value(column) {
    case .text(let text): text
    case .integer(let number): "\(number)"
    case .real(let number): "\(number)"
    case .null, nil: nil
    }
  }

  func integer(_ column: String) -> Int? {
    switch value(column) {
    case .integer(let number): number
    case .real(let number): Int(exactly: number)
    case .text(let text): Int(text)
    case .null, nil: nil
    }
  }

  func real(_ column: String) -> Double? {
    switch value(column) {
    case .integer(let number): Double(number)
    case .real(let number): number
    case .text(let text): Double(text)
    case .null, nil: nil
    }
  }

  func date(_ column: String) -> Date? { real(column).map(Date.init(timeIntervalSince1970:)) }
}

/// The few ways in which the databases differ.
enum SQLDialect: Sendable {
  case sqlite, postgres

  /// A column that numbers its rows and never repeats a number.
  var identity: String {
    switch self {
    case .sqlite: "INTEGER PRIMARY KEY AUTOINCREMENT"
    case .postgres: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    }
  }

  /// What keeps others from changing a selected row. SQLite has one writer at a time anyway.
  var rowLock: String { self == .sqlite ? "" : " FOR UPDATE" }
}

/// A connection within a transaction.
protocol SQLConnection: AnyObject {
  var dialect: SQLDialect { get }

  /// Runs one statement with values for `$1`, `$2`, ….
  func run(_ sql: String, _ values: [SQLValue]) throws -> [SQLRow]

  /// The database's clock.
  func now() throws -> Date
}
