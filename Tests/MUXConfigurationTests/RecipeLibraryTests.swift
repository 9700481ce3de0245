// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXConfiguration
import Testing

private struct Recipe: Decodable {
  struct Model: Decodable { var name: String }
  var epochs: Int
  var model: Model
}

@Suite("Recipes by name")
struct RecipeLibraryTests {
  /// `base/recipes/small.yaml`, which names `recipes/net.yaml` from `base`.
  private func makeRecipes() throws -> (base: String, remove: () -> Void) {
    let base = FileManager.default.temporaryDirectory
      .appendingPathComponent("muxnet-recipes-\(UUID().uuidString)").standardized.path
    try FileManager.default.createDirectory(
      atPath: "\(base)/recipes", withIntermediateDirectories: true)
    for (name, text) in [
      ("small", "epochs: 3\nmodel: {name: recipes/net.yaml}"), ("net", "name: net"),
    ] {
      try text.write(toFile: "\(base)/recipes/\(name).yaml", atomically: true, encoding: .utf8)
    }
    return (base, { try? FileManager.default.removeItem(atPath: base) })
  }

  @Test("A recipe is found by name, and the files that it names beside it")
  func byName() throws {
    let (base, remove) = try makeRecipes()
    defer { remove() }
    let tree = try RecipeLibrary.load("small", folders: ["no-such-folder", "\(base)/recipes"])
    let recipe = try tree.decode(Recipe.self)
    #expect(recipe.epochs == 3)
    #expect(recipe.model.name == "\(base)/recipes/net.yaml")
  }

  @Test("An unknown recipe is named with the nearest ones; a path must exist")
  func unknown() throws {
    let (base, remove) = try makeRecipes()
    defer { remove() }
    #expect {
      _ = try RecipeLibrary.load("smal", folders: ["\(base)/recipes"])
    } throws: { "\($0)" == "unknown recipe “smal”; did you mean small?" }
    #expect {
      _ = try RecipeLibrary.load("x/none.yaml", folders: [])
    } throws: { "\($0)" == "x/none.yaml: no such file" }
  }

  @Test("The recipes of the package are inside the program, all of them and as they are")
  func shipped() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "recipes").path
    let names = RecipeLibrary.names(in: [folder])
    #expect(names == ShippedRecipes.names)
    #expect(names.contains("digits"))
    for name in names {
      #expect(
        ShippedRecipes.text(name)
          == (try String(contentsOfFile: "\(folder)/\(name).yaml", encoding: .utf8)), "\(name)")
      let summary = try #require(ShippedRecipes.summary(name))
      #expect(summary.count > 10 && summary.count < 150, "\(summary)")
    }
  }

  @Test(
    "A file of a shipped recipe's name comes before it; without folders the shipped one is read")
  func precedence() throws {
    let (base, remove) = try makeRecipes()
    defer { remove() }
    try "epochs: 77\nmodel: {name: mine}".write(
      toFile: "\(base)/recipes/digits.yaml", atomically: true, encoding: .utf8)
    let own = try RecipeLibrary.load("digits", folders: ["\(base)/recipes"])
    #expect(try own.keeping(["epochs", "model"]).decode(Recipe.self).epochs == 77)
    let shipped = try RecipeLibrary.load("digits", folders: []).keeping(["epochs", "model"])
    #expect(try shipped.decode(Recipe.self).model.name == "muxnet_digits")
  }

  @Test("The package's folder is searched for a program in its build folder")
  func folders() {
    let folders = RecipeLibrary.folders(
      environment: ["MUXNET_RECIPES": "/mine"], executable: "/pkg/.build/x86/debug/muxnet")
    #expect(folders.first == "/mine")
    #expect(folders.contains("/pkg/recipes"))
  }
}
