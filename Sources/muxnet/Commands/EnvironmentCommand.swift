// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import MUXConfiguration
import MUXRuntime

#if TORCH
  import MUXTensor
#endif

/// Shows the machine and the software, for bug reports.
struct EnvironmentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "environment",
    abstract: "Show versions, processor and devices, for bug reports.",
    discussion: """
      EXAMPLES
        muxnet environment
        muxnet environment --json
      """)

  @OptionGroup var output: OutputOptions

  func run() throws {
    #if TORCH
      // A library of the wrong version, or none, is itself worth reporting.
      var report: EnvironmentReport
      do {
        let version = try TorchRuntime.runningVersion()
        let devices = [Device.cpu, .cuda(0), .mps].filter { ((try? $0.count()) ?? 0) > 0 }
        report = EnvironmentReport(libtorch: version, devices: devices.map(\.description))
      } catch {
        report = EnvironmentReport(libtorch: "\(error)", devices: [])
      }
    #else
      var report = EnvironmentReport()
    #endif
    let variants = Precision.allCases.map {
      ($0.rawValue, InstructionSet.current.kernels(for: $0))
    }
    report.kernels = Dictionary(uniqueKeysWithValues: variants)
    if output.json { return try Console.json(report) }
    var table = TextTable([("muxnet", .left), (report.version, .left)])
    table.append(["build", report.isOptimized ? "release" : "debug (slow)"])
    table.append(["Swift", report.swift])
    table.append(["libtorch", report.libtorch ?? "none in this build"])
    table.append(["devices", report.devices.joined(separator: ", ")])
    table.append(["system", report.system])
    table.append(["processor", report.processor ?? report.architecture])
    table.append(["kernels", variants.map { "\($0): \($1)" }.joined(separator: ", ")])
    table.append(["cores", "\(report.cores)"])
    table.append(["memory", "\((Double(report.memory) / 0x1p30).fixed(1)) GiB"])
    for (name, value) in report.variables.sorted(by: { $0.key < $1.key }) {
      table.append([name, value])
    }
    Console.result(table.text)
  }
}
