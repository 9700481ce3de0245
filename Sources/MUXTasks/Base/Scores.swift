// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// The values of a task's metrics over a set of images, in the order in which they were given.
///
/// In files the values are one flat object, `{"count": 359, "loss": 0.21, "top1": 0.97}`; a metric
/// that is undefined for these images is `null`. Files keep no order, so that two scores of equal
/// values are equal whatever their order; what has an order to show takes that of the task's metrics.
public struct Scores: Sendable {
  /// One value by its name.
  public struct Entry: Sendable, Hashable {
    /// The metric's name.
    public var name: String
    /// Its value; nil where it is undefined.
    public var value: Double?
  }

  /// The values.
  public private(set) var entries: [Entry]
  /// How many images were seen.
  public var count: Int

  /// Scores over `count` images.
  public init(count: Int, _ values: KeyValuePairs<String, Double?> = [:]) {
    self.count = count
    entries = values.map { Entry(name: $0.key, value: $0.value) }
  }

  /// The value of the metric of a name; nil where it is undefined or absent.
  public subscript(name: String) -> Double? {
    get { entries.first { $0.name == name }?.value }
    set {
      if let place = entries.firstIndex(where: { $0.name == name }) {
        entries[place].value = newValue
      } else {
        entries.append(Entry(name: name, value: newValue))
      }
    }
  }

  /// The value of a metric; nil where it is undefined or absent.
  public subscript(metric: Metric) -> Double? { self[metric.name] }

  /// The value by which results are ranked: one that is undefined is not a number, and so never
  /// better than another.
  public func rank(by metric: Metric) -> Double { self[metric.name] ?? .nan }
}

extension Scores: Hashable {
  private var values: [String: Double?] {
    Dictionary(entries.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  /// Equal values by name.
  public static func == (left: Scores, right: Scores) -> Bool {
    left.count == right.count && left.values == right.values
  }

  /// Hashes the values.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    hasher.combine(values)
  }
}

extension Scores: Codable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private static let countKey = "count"

  /// Reads a flat object; the order is that of the names.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    count = try container.decodeIfPresent(Int.self, forKey: Key(Self.countKey)) ?? 0
    entries = try container.allKeys.filter { $0.stringValue != Self.countKey }
      .sorted { $0.stringValue < $1.stringValue }
      .map {
        Entry(name: $0.stringValue, value: try container.decodeIfPresent(Double.self, forKey: $0))
      }
  }

  /// Writes a flat object.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(count, forKey: Key(Self.countKey))
    for entry in entries { try container.encode(entry.value, forKey: Key(entry.name)) }
  }
}
