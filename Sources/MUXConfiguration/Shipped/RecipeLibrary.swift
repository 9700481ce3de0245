// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore

/// Finds recipes: configuration files that are known by name. Those of the package are inside the
/// program; a file of the same name in one of the folders comes before them.
package enum RecipeLibrary {
  /// The folders that are searched, in order: `MUXNET_RECIPES`, `recipes` in the working folder,
  /// and `recipes` or `share/muxnet/recipes` in the folders above the program.
  package static func folders(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    executable: String? = Bundle.main.executablePath
  ) -> [String] {
    var folders: [String] = []
    if let own = environment["MUXNET_RECIPES"], !own.isEmpty { folders.append(own) }
    folders.append("recipes")
    if let executable {
      // A program in `.build/debug` belongs to the package four folders up, links resolved.
      var folder = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
        .deletingLastPathComponent()
      for _ in 0..<5 where folder.path != "/" {
        folders.append(folder.appendingPathComponent("recipes").path)
        folders.append(folder.appendingPathComponent("share/muxnet/recipes").path)
        folder = folder.deletingLastPathComponent()
      }
    }
    return folders
  }

  /// The names of all recipes, in the folders and in the program, sorted.
  package static func names() -> [String] {
    Set(names(in: folders()) + ShippedRecipes.names).sorted()
  }

  /// The names of all recipes in some folders, sorted.
  package static func names(in folders: [String]) -> [String] {
    let files = folders.flatMap {
      (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? []
    }
    return Set(files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }).sorted()
  }

  /// Reads a recipe by name, or a file if the text is a path.
  ///
  /// - Throws: ``ConfigurationInputError`` with the nearest names if there is none.
  package static func load(
    _ recipe: String, folders: [String] = folders()
  ) throws(ConfigurationInputError) -> ConfigurationTree {
    if recipe.contains("/") || recipe.hasSuffix(".yaml") || recipe.hasSuffix(".yml")
      || recipe.hasSuffix(".json")
    {
      return try ConfigurationTree(contentsOf: recipe)
    }
    for folder in folders {
      let path = "\(folder)/\(recipe).yaml"
      if FileManager.default.fileExists(atPath: path) {
        var tree = try ConfigurationTree(contentsOf: path)
        // Recipes name files from the package's folder, wherever the program is started.
        try tree.locateFile("model.name", from: ["\(folder)/..", folder])
        return tree
      }
    }
    if let text = ShippedRecipes.text(recipe) {
      return try ConfigurationTree(yaml: text, source: .file("recipe \(recipe)"))
    }
    let known = Set(names(in: folders) + ShippedRecipes.names).sorted()
    let near = NameDistance.nearest(to: recipe, among: known, limit: 3)
    let hint =
      near.isEmpty
      ? "there are \(known.joined(separator: ", "))"
      : "did you mean \(near.joined(separator: ", "))?"
    throw ConfigurationInputError(nil, "", .unreadable("unknown recipe “\(recipe)”; \(hint)"))
  }
}
