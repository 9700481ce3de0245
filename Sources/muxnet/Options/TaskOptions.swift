// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXTasks

/// What weights are for, where they do not say so themselves.
struct TaskOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the weights are for, if they do not say so: \(TaskRegistry.names.joined(separator: ", ")).",
      valueName: "name"))
  var task: String?

  /// The task of that name with its default settings; nil leaves it to the weights.
  var named: NamedTask? {
    get throws { try task.map { NamedTask(try TaskRegistry.task(named: $0).init()) } }
  }
}
