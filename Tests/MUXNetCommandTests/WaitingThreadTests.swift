// SPDX-License-Identifier: Apache-2.0
import CMUXStart
import Foundation
import MUXTestSupport
import Testing

/// Threads of trainings do not spin for long while they wait, unless the user wants it.
@Suite("Waiting threads", .tags(.processes), .endsSometime)
struct WaitingThreadTests {
  @Test(
    "Commands that train in their own process are told from others",
    arguments: [
      ("muxnet train --recipe digits", true), ("muxnet search worker mine", true),
      ("muxnet search supernet train", true), ("muxnet benchmark muxnet_m --train", true),
      ("muxnet reproduce table4 --data xrays", true), ("muxnet reproduce table4", false),
      ("muxnet benchmark muxnet_m", false), ("muxnet search run mine", false),
      ("muxnet search", false), ("muxnet trains", false), ("muxnet predict train", false),
      ("muxnet", false), ("muxnet tra", false), ("muxnet search workers", false),
    ])
  func commands(line: String, trains: Bool) {
    let words = line.split(separator: " ").map { strdup(String($0)) }
    defer { for word in words { free(word) } }
    let constant = words.map { UnsafePointer<CChar>($0) }
    #expect(mux_command_trains(Int32(constant.count), constant) == trains)
  }

  #if TORCH && os(Linux)
    /// What libgomp says of itself as it is loaded.
    private func settings(
      _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> String {
      // None of those that the tests themselves run with.
      let unset = ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"].filter { environment[$0] == nil }
      let line = "unset \(unset.joined(separator: " ")); exec \"$MUXNET\" \"$@\""
      let folder = try TemporaryFolder()
      let program = try Program.run(
        shell: "set -- \(arguments.joined(separator: " ")); \(line)", in: folder.path,
        environment: environment.merging(["OMP_DISPLAY_ENV": "verbose"]) { $1 })
      #expect(program.code == 0)
      #expect(program.output.contains("USAGE") || arguments == ["--version"])
      return program.errors
    }

    @Test(
      "A training spins for a moment only; what the user says counts, and other commands have libgomp's"
    )
    func training() throws {
      let training = ["train", "--help"]
      let plain = try settings(["--version"])
      // Other implementations of OpenMP have other variables.
      guard plain.contains("GOMP_SPINCOUNT") else { return }
      #expect(!plain.contains("GOMP_SPINCOUNT = '\(MUX_SPIN_COUNT)'"))
      #expect(try settings(training).contains("GOMP_SPINCOUNT = '\(MUX_SPIN_COUNT)'"))
      #expect(
        try settings(training, ["GOMP_SPINCOUNT": "777"]).contains("GOMP_SPINCOUNT = '777'"))
      let active = try settings(training, ["OMP_WAIT_POLICY": "active"])
      #expect(active.contains("OMP_WAIT_POLICY = 'ACTIVE'"))
      #expect(!active.contains("'\(MUX_SPIN_COUNT)'"))
    }
  #endif
}
