// SPDX-License-Identifier: Apache-2.0
import MUXTestSupport
import Testing

@Suite("Help and usage", .tags(.processes), .endsSometime)
struct HelpTests {
  static var commands: [[String]] {
    var commands = [
      ["models"], ["describe"], ["data", "check"], ["convert"], ["environment"], ["evaluate"],
      ["predict"], ["forward"], ["benchmark"], ["draw"], ["reproduce"], ["search", "benchmark"],
      ["quantize"], ["weights"], ["weights", "fetch"], ["run", "report"], ["run", "compare"],
    ]
    #if TORCH
      commands += [["train"], ["data", "preview"]]
    #endif
    return commands
  }

  @Test("The help names every command and the exit codes")
  func rootHelp() throws {
    let help = try Muxnet.run(["--help"])
    #expect(help.code == 0)
    #expect(help.errors.isEmpty)
    for command in Self.commands {
      #expect(help.output.contains("\n  \(command[0]) "), "\(command)")
    }
    for code in ["  0 ", "  1 ", "  64 ", "  130 "] {
      #expect(help.output.contains("\n\(code)"), "\(code)")
    }
    #if !TORCH
      #expect(help.output.contains("This build has no libtorch"))
    #endif
  }

  @Test("Every command has help with an example", arguments: commands)
  func commandHelp(command: [String]) throws {
    let help = try Muxnet.run(command + ["--help"])
    #expect(help.code == 0)
    #expect(help.output.contains("EXAMPLES\n  muxnet \(command.joined(separator: " "))"))
    #expect(help.output.contains("USAGE: muxnet"))
  }

  @Test("Completions can be generated for each shell", arguments: ["bash", "zsh", "fish"])
  func completions(shell: String) throws {
    let script = try Muxnet.run(["--generate-completion-script", shell])
    #expect(script.code == 0)
    #expect(script.output.contains("describe"))
  }

  @Test("The version is printed")
  func version() throws {
    let version = try Muxnet.run(["--version"])
    #expect(version.code == 0)
    #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
  }

  @Test(
    "Wrong usage is one line on the standard error and exit code 64",
    arguments: [
      ["frobnicate"], ["describe"], ["describe", "muxnet_m", "--frobnicate"],
      ["describe", "muxnet_m", "--input-size", "12x"], ["describe", "muxnet_m", "--classes", "0"],
      ["convert", "a.pth", "b.txt"], ["convert", "a.pth", "b.pth", "--type", "I8"],
      ["data", "check", "x", "--workers", "0"], ["benchmark", "muxnet_xs", "--batch-size", "0"],
      ["benchmark", "muxnet_xs", "--train", "--profile"],
      ["convert", "a.pth", "b.pth", "--lanes", "8"],
      ["convert", "muxnet_m", "m.onnx", "--random-weights"],
      ["benchmark", "muxnet_xs", "--train", "--precision", "int8"],
      ["benchmark", "muxnet_xs", "--serve", "--batch-size", "1", "--batch-size", "2"],
      ["benchmark", "muxnet_xs", "--serve", "--profile"],
      ["convert", "a.pth", "b", "--to", "runtime", "--type", "F16"],
      ["benchmark", "muxnet_xs", "--train", "--engine", "runtime"],
      ["predict", "x.png", "--weights", "w", "--engine", "runtime", "--device", "cuda"],
      ["evaluate", "--weights", "w", "--threads", "-1"],
    ])
  func usageErrors(arguments: [String]) throws {
    let outcome = try Muxnet.run(arguments)
    #expect(outcome.code == 64)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("error: "))
  }
}
