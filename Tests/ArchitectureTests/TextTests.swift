// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Who reads an error of a library may have no command line; what has one adds its own words
/// (`OptionHint`).
@Suite("Texts of libraries") struct TextTests {
  /// Files that name options or commands for a reason.
  static let exceptions = [
    // The arguments of other programs.
    "Sources/MUXCharts/Drawing/PNGRenderer.swift",
    "Sources/MUXEvaluation/Pretrained/PretrainedDownload.swift",
    // The command that a published number came from.
    "Sources/MUXPaper/ResultsFolder.swift",
  ]

  /// The options and commands in a text.
  static func named(in text: String, commands: Set<String>) -> [String] {
    // Variables of style sheets look like options.
    let options = text.replacing(/var\(--[a-z]+\)/, with: "").matches(
      of: /(?:^|[\s'\[(])(--[a-z][a-z\-]*)(?![a-z\-:])/
    ).map {
      String($0.1)
    }
    let own = text.matches(of: /\bmuxnet ([a-z]+)\b/).map { String($0.1) }
    return options + own.filter(commands.contains).map { "muxnet \($0)" }
  }

  /// The commands of the program, by the names of their files.
  static func commands() throws -> Set<String> {
    let folder = Manifest.package.appending(path: "Sources/muxnet/Commands")
    let files = try FileManager.default.contentsOfDirectory(
      atPath: folder.path(percentEncoded: false))
    return Set(files.compactMap { $0.prefixMatch(of: /[A-Z][a-z]+/)?.output.lowercased() })
  }

  @Test("Libraries name neither options nor commands of the program")
  func libraries() throws {
    let commands = try Self.commands()
    #expect(commands.isSuperset(of: ["train", "predict", "search", "convert", "quantize"]))
    var read = 0
    for module in try Manifest.current.get().modules.values
    where !module.isTest && !["muxnet", "fuzz", "plansnapshot"].contains(module.name) {
      for file in try SourceFile.files(of: module) where !Self.exceptions.contains(file.path) {
        for (line, text) in file.texts {
          read += 1
          let named = Self.named(in: text, commands: commands)
          #expect(named.isEmpty, "\(file.path):\(line): \(named.joined(separator: ", "))")
        }
      }
    }
    #expect(read > 2000)
  }

  @Test("A variable of the program's own is taken for no setting")
  func variables() throws {
    let reader = "Sources/muxnet/Options/SettingSources.swift"
    let whole = try String(
      contentsOf: Manifest.package.appending(path: reader), encoding: .utf8)
    let reserved = Set(whole.matches(of: /"(MUXNET_[A-Z]+)"/).map { String($0.1) })
    var used: Set<String> = []
    for module in try Manifest.current.get().modules.values where !module.isTest {
      for file in try SourceFile.files(of: module) where file.path != reader {
        for (_, text) in file.texts {
          used.formUnion(text.matches(of: /MUXNET_[A-Z]+/).map { String($0.0) })
        }
      }
    }
    #expect(used.count > 5)
    // An example of a setting.
    #expect(used.subtracting(reserved).subtracting(["MUXNET_OPTIMIZER"]).isEmpty)
  }

  @Test("Each exception is one")
  func exceptions() throws {
    let commands = try Self.commands()
    for path in Self.exceptions {
      let file = SourceFile(
        path: path, folder: "",
        text: try String(contentsOf: Manifest.package.appending(path: path), encoding: .utf8))
      #expect(
        file.texts.contains { !Self.named(in: $0.text, commands: commands).isEmpty }, "\(path)")
    }
  }

  @Test("Each reason that a hint waits for is said by a library")
  func hints() throws {
    let path = "Sources/muxnet/Support/OptionHint.swift"
    let hints = SourceFile(
      path: path, folder: "",
      text: try String(contentsOf: Manifest.package.appending(path: path), encoding: .utf8))
    let awaited = hints.texts.map(\.text).filter { $0.hasPrefix("it ") || $0 == "creating a study" }
    #expect(awaited.count > 4)
    var texts: Set<String> = []
    for module in try Manifest.current.get().modules.values where module.name != "muxnet" {
      for file in try SourceFile.files(of: module) where !module.isTest {
        texts.formUnion(file.texts.map(\.text))
      }
    }
    for reason in awaited {
      #expect(texts.contains { $0.contains(reason) }, "\(reason)")
    }
  }

  @Test(
    "Options and commands are told from other words",
    arguments: [
      ("give --model NAME", ["--model"]), ("leave it out (--other-images)", ["--other-images"]),
      ("go on with 'muxnet train'", ["muxnet train"]), ("this muxnet knows versions", []),
      (":root{--ink:#fff;--wash:#000}", []), ("fill:var(--ink)", []), ("a – b -- c", []),
    ] as [(String, [String])])
  func words(text: String, named: [String]) {
    #expect(Self.named(in: text, commands: ["train"]) == named)
  }
}
