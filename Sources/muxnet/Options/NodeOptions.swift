// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// The hosts on which a command starts its processes.
struct NodeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Start processes on the hosts of this file, one line 'HOST slots=N' per host.",
      valueName: "file"), completion: .file())
  var nodes: String?

  @Option(
    help: ArgumentHelp(
      "With --nodes: the remote shell (default: $MUXNET_RSH, else ssh -o BatchMode=yes).",
      valueName: "words"))
  var remoteShell: String?

  @Option(
    help: ArgumentHelp(
      "With --nodes: the program's path on the hosts (default: the same as here).",
      valueName: "path"))
  var remoteProgram: String?

  @Option(
    help: ArgumentHelp(
      "With --nodes: the name or address by which the hosts reach this machine.",
      valueName: "host"))
  var address: String?

  /// The options with a value that processes on hosts do not get.
  static let names = ["--nodes", "--remote-shell", "--remote-program", "--address"]

  func validate() throws {
    guard nodes == nil else { return }
    for (name, value) in [
      ("--remote-shell", remoteShell), ("--remote-program", remoteProgram), ("--address", address),
    ] where value != nil { throw ValidationError("\(name) is for --nodes") }
  }

  /// What starts processes on the hosts; nil where there is no file of them.
  ///
  /// - Throws: `CommandError` for a file that makes no sense.
  func launcher() throws -> NodeLauncher? {
    guard let nodes else { return nil }
    let file = try Hostfile(path: nodes)
    let given = ProcessInfo.processInfo.environment["MUXNET_RSH"].flatMap { $0.isEmpty ? nil : $0 }
    let words = (remoteShell ?? given ?? "ssh -o BatchMode=yes").split(separator: " ").map(
      String.init)
    guard !words.isEmpty else { throw CommandError("the shell that reaches hosts has no name") }
    return NodeLauncher(
      file: file, shell: words, program: remoteProgram ?? StopRequest.program.path,
      address: address ?? (file.isLocal ? "127.0.0.1" : ProcessInfo.processInfo.hostName))
  }

  /// A command line without options, each with its value.
  static func without(_ names: [String], _ words: [String]) -> [String] {
    var rest: [String] = []
    var skips = false
    for word in words {
      if skips {
        skips = false
      } else if names.contains(word) {
        skips = true
      } else if !names.contains(where: { word.hasPrefix("\($0)=") }) {
        rest.append(word)
      }
    }
    return rest
  }
}
