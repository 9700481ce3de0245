// SPDX-License-Identifier: Apache-2.0
public import MUXCore

/// Where a run writes, and how much it logs.
public struct OutputConfiguration: Codable, Hashable, Sendable {
  /// The folder of all runs.
  public var folder: String = "runs"
  /// The run's own folder below it; `nil` takes the network's name. A number is added where the
  /// folder exists.
  public var name: String?
  /// Whether an existing run of the same name may be replaced.
  public var overwrites: Bool = false
  /// Steps between two progress lines where the output is not a terminal.
  public var logEverySteps: Int = 50
  /// Whether TensorBoard events are written.
  public var tensorBoard: Bool = true

  /// The defaults: `runs/NAME`, never overwritten.
  public init() {}

  enum CodingKeys: String, CodingKey {
    case folder, name
    case overwrites = "overwrite"
    case logEverySteps, tensorBoard
  }

  /// Reads the settings that are there; the others keep their defaults.
  public init(from decoder: any Decoder) throws {
    try self.init(settingsFrom: decoder)
  }
}

extension OutputConfiguration: SettingGroup {
  package static var settings: [Setting<Self>] {
    [
      Setting("folder", \.folder, "The folder of all runs", in: .named("runs")),
      Setting(
        "name", \.name, "The run's own folder below that; a number is appended if it exists",
        absent: "the network's name",
        in: SettingRule("a plain folder name of at most 200 bytes, without slashes") {
          !$0.isEmpty && !$0.contains("/") && !$0.hasPrefix(".") && $0 == $0.printable
            && $0.utf8.count <= 200
        }),
      Setting("overwrite", \.overwrites, "Whether an existing run of that name may be replaced"),
      Setting(
        "logEverySteps", \.logEverySteps,
        "Steps between two progress lines if the output is not a terminal", unit: "steps",
        in: .within(1...1_000_000_000)),
      Setting("tensorBoard", \.tensorBoard, "Whether TensorBoard events are written"),
    ]
  }

  /// Throws an error that names the first setting out of its range.
  public func validate(path: String = "output") throws(ConfigurationError) {
    try checkSettings(path: path)
  }
}
