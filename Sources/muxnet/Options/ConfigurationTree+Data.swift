// SPDX-License-Identifier: Apache-2.0
import MUXConfiguration
import MUXEvaluation

extension ConfigurationTree {
  /// Sets what `--data` and `--source` name. Data with boxes whose kind nothing says, as for weights that
  /// are not in a run, is told by how it lies: its folders would else be taken for classes.
  mutating func set(data: String?, source: String?) throws {
    if let data { try set("data.path", toText: data, source: .option("--data")) }
    if let source { try set("data.source", toText: source, source: .option("--source")) }
    if let data, flattened.contains(where: { $0.path == "data.source" && $0.text == "digits" }) {
      throw CommandError(
        "--data \(data.printable): the digits come with the program and have no folder; say what lies"
          + " there, such as --source folder, or leave --data out")
    }
    guard let data, !flattened.contains(where: { $0.path == "data.source" }),
      let kind = DataConfiguration.boxSource(at: data)
    else { return }
    try set("data.source", toText: kind.rawValue, source: .option("--data"))
  }
}
