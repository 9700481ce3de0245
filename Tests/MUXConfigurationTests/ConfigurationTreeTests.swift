// SPDX-License-Identifier: Apache-2.0
import MUXConfiguration
import Testing

private struct Settings: Codable, Equatable {
  enum Kind: String, Codable, CaseIterable { case sgd, adamW }

  struct Optimizer: Codable, Equatable {
    var kind: Kind = .sgd
    var learningRate = 0.5
    var clipNorm: Double?

    init() {}

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      kind = try container.decodeIfPresent(Kind.self, forKey: .kind) ?? kind
      learningRate =
        try container.decodeIfPresent(Double.self, forKey: .learningRate) ?? learningRate
      clipNorm = try container.decodeIfPresent(Double.self, forKey: .clipNorm)
    }
  }

  var epochs = 10
  var name: String?
  var area: [Double] = []
  var isOn = false
  var optimizer = Optimizer()

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    epochs = try container.decodeIfPresent(Int.self, forKey: .epochs) ?? epochs
    name = try container.decodeIfPresent(String.self, forKey: .name)
    area = try container.decodeIfPresent([Double].self, forKey: .area) ?? area
    isOn = try container.decodeIfPresent(Bool.self, forKey: .isOn) ?? isOn
    optimizer = try container.decodeIfPresent(Optimizer.self, forKey: .optimizer) ?? optimizer
  }
}

@Suite("Configuration in layers")
struct ConfigurationTreeTests {
  private func message(_ text: String, _ assignments: String...) -> String {
    do {
      var tree = try ConfigurationTree(yaml: text, source: .file("mine.yaml"))
      for assignment in assignments {
        try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
      }
      _ = try tree.decode(Settings.self)
      return ""
    } catch { return "\(error)" }
  }

  @Test("Later layers win setting by setting, lists are replaced as a whole")
  func layers() throws {
    var tree = try ConfigurationTree(
      yaml: "epochs: 3\narea: [1, 2]\noptimizer: {kind: adamW, learningRate: 0.1}",
      source: .file("recipe"))
    tree.overlay(
      try ConfigurationTree(
        yaml: #"{"area": [0.5], "optimizer": {"clipNorm": 5}}"#, source: .file("mine.json")))
    try tree.set(environment: [
      "MUXNET_OPTIMIZER__LEARNING_RATE": "0.2", "MUXNET_IS_ON": "true", "PATH": "x",
    ])
    try tree.set(assignment: "name=12", source: .option("--set"))
    try tree.set(assignment: "optimizer.learningRate=1e-3", source: .option("--set"))
    let settings = try tree.decode(Settings.self)
    #expect(settings.epochs == 3)
    #expect(settings.area == [0.5])
    #expect(settings.isOn)
    #expect(settings.name == "12")
    #expect(settings.optimizer.kind == .adamW)
    #expect(settings.optimizer.learningRate == 0.001)
    #expect(settings.optimizer.clipNorm == 5)
  }

  @Test("Nothing, and null, leave the defaults")
  func defaults() throws {
    #expect(try ConfigurationTree().decode(Settings.self) == Settings())
    let empty = try ConfigurationTree(yaml: "# nothing\n", source: .file("f"))
    #expect(try empty.decode(Settings.self) == Settings())
    let null = try ConfigurationTree(yaml: "epochs: null\nname: ~", source: .file("f"))
    #expect(try null.decode(Settings.self) == Settings())
  }

  @Test("An option or variable that is empty does not bring the default back without a word")
  func emptyValues() throws {
    for text in ["name=", "name= ", "epochs=", "optimizer.clipNorm="] {
      let key = text.split(separator: "=")[0]
      #expect(
        message("", text)
          == "--set \(text): “\(key)” is wrong: a value, or null for none, expected, found nothing")
    }
    var tree = try ConfigurationTree(yaml: "name: mine\nepochs: 3", source: .file("f"))
    try tree.set(environment: ["MUXNET_NAME": "", "MUXNET_EPOCHS": ""])
    #expect(try tree.decode(Settings.self).name == "mine")
    #expect(try tree.decode(Settings.self).epochs == 3)
    try tree.set(assignment: "name=null", source: .option("--set"))
    #expect(try tree.decode(Settings.self).name == Settings().name)
  }

  @Test("The value of an option is a text, also where YAML would take it for none")
  func givenTexts() throws {
    for text in ["null", "~", "", "a: b", "[1]", "# c"] {
      var tree = ConfigurationTree()
      try tree.set("name", toText: text, source: .option("--name"))
      #expect(try tree.decode(Settings.self).name == text)
    }
    var tree = ConfigurationTree()
    try tree.set("epochs", toText: "7", source: .option("--epochs"))
    #expect(try tree.decode(Settings.self).epochs == 7)
    try tree.set("epochs", toText: "null", source: .option("--epochs"))
    #expect(throws: ConfigurationInputError.self) { try tree.decode(Settings.self) }
  }

  @Test("A text of too many values is refused before it is parsed")
  func manyValues() {
    for text in ["[", "{a: 1},", "- ", "? "] {
      #expect(
        message("epochs: [" + String(repeating: text, count: 200_000))
          == "mine.yaml: too many values")
    }
  }

  @Test("An unknown key is named with the nearest one, its full path and its file")
  func unknownKeys() {
    #expect(message("epoch: 3") == "mine.yaml: unknown key “epoch”; did you mean “epochs”?")
    #expect(
      message("optimizer: {learningrat: 1}")
        == "mine.yaml: unknown key “optimizer.learningrat”; did you mean “optimizer.learningRate”?")
    #expect(
      message("", "optimizer.clip=1")
        == "--set optimizer.clip=1: unknown key “optimizer.clip”; did you mean “optimizer.clipNorm”?"
    )
    #expect(
      message("zzzzzzzzzz: 3")
        == "mine.yaml: unknown key “zzzzzzzzzz”; there are area, epochs, isOn, name, optimizer")
  }

  @Test("A missing key is named, or the key that nearly is it; sound ones beside it are not blamed")
  func missingKeys() {
    struct Task: Decodable {
      let name: String
      let threshold: Double?
    }
    struct Run: Decodable {
      let task: Task
      let epochs: Int?
    }
    func message(_ text: String) -> String {
      let run = Result {
        try ConfigurationTree(yaml: text, source: .file("mine.yaml")).decode(Run.self)
      }
      return if case .failure(let error) = run { "\(error)" } else { "none" }
    }
    #expect(
      message("task: {threshold: 0.5}\nepochs: 3") == "mine.yaml: “task.name” is missing")
    #expect(
      message("task: {nme: a, threshold: 0.5}\nepochs: 3")
        == "mine.yaml: unknown key “task.nme”; did you mean “task.name”?")
    #expect(message("epochs: 3") == "mine.yaml: “task” is missing")
    #expect(message("task: {name: a}\nepochs: 3") == "none")
  }

  @Test("An environment variable that means no setting is named")
  func unknownVariable() throws {
    var tree = ConfigurationTree()
    try tree.set(environment: ["MUXNET_TORCH": "0"], reserved: ["MUXNET_TORCH"])
    #expect(try tree.decode(Settings.self) == Settings())
    try tree.set(environment: ["MUXNET_EPOCS": "0"])
    #expect {
      _ = try tree.decode(Settings.self)
    } throws: { "\($0)".hasPrefix("environment variable MUXNET_EPOCS: unknown key “epocs”") }
  }

  @Test(
    "A value of the wrong type is named with its path",
    arguments: [
      ("epochs: many", "“epochs” is wrong: a whole number expected, found “many”"),
      ("epochs: 1.5", "“epochs” is wrong: a whole number expected, found “1.5”"),
      ("epochs: \"3\"", "“epochs” is wrong: a whole number expected, found “3”"),
      ("epochs: [1]", "“epochs” is wrong: a whole number expected, found a list of 1"),
      ("isOn: yes", "“isOn” is wrong: true or false expected, found “yes”"),
      ("area: 3", "“area” is wrong: a list expected, found “3”"),
      ("area: [1, x]", "“area[1]” is wrong: a number expected, found “x”"),
      (
        "optimizer: {kind: adam}",
        "“optimizer.kind” is wrong: one of sgd, adamW expected, found “adam”"
      ),
      ("optimizer: 3", "“optimizer” is wrong: a group of settings expected, found “3”"),
      ("name: {a: 1}", "“name” is wrong: a text expected, found a group of settings"),
    ])
  func wrongTypes(text: String, expected: String) {
    #expect(message(text) == "mine.yaml: \(expected)")
  }

  @Test(
    "Text that is not YAML is an error of one line with its place",
    arguments: ["epochs: [1", "a: b: c", "epochs: 1\nepochs: 2", "\tx: 1", "- 1", "just text"])
  func notYAML(text: String) {
    let found = message(text)
    #expect(found.hasPrefix("mine.yaml: "))
    #expect(!found.contains("\n"), "\(found)")
  }

  @Test("Aliases that unfold without end are refused")
  func aliases() {
    var text = "a: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    for level in 1..<9 {
      let items = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
      text += "b\(level): &a\(level) [\(items)]\n"
    }
    #expect(message(text) == "mine.yaml: too many values")
  }

  @Test("A missing file and a malformed assignment are named")
  func otherErrors() {
    #expect { _ = try ConfigurationTree(contentsOf: "none.yaml") } throws: {
      "\($0)" == "none.yaml: no such file"
    }
    #expect(message("", "epochs").contains("KEY=VALUE expected, found “epochs”"))
    #expect(message("", "a..b=1").contains("dotted path"))
  }

  private struct Values: Codable, Equatable {
    var third = 4.0 / 3
    var small = 1e-5
    var whole = 3.0
    var large = UInt64.max
    var texts = ["runs", "yes", "1e3", "a: b", "", "ä “x”", "-1", "null", "two\nlines", "#"]
    var numbers = [0.1 + 0.2, .pi, -0.0]
    var isOn = true
    var nested = ["key one": [1, 2], "~": []]
  }

  @Test("Settings written as YAML read back to exactly the same values")
  func exactText() throws {
    let text = try ConfigurationText.yaml(Values())
    let tree = try ConfigurationTree(yaml: text, source: .file("f"))
    #expect(try tree.decode(Values.self) == Values())
    #expect(text.contains("third: 1.3333333333333333\n"))
    #expect(text.hasPrefix("isOn: true\n"))
  }
}
