// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import ArgumentParser
  import Foundation
  import MUXConfiguration
  import MUXTraining

  /// Where settings come from, and which data they are about.
  struct SettingSources: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "A recipe file, or a recipe by name: \(ShippedRecipes.names.joined(separator: ", ")).",
        valueName: "name"))
    var recipe: String?

    @Option(name: [.short, .long], help: "A YAML or JSON file of settings.", completion: .file())
    var config: String?

    @Option(
      name: .customLong("set"),
      help: ArgumentHelp(
        "Any setting by its dotted path (muxnet settings lists them).", valueName: "key=value"))
    var assignments: [String] = []

    @Option(help: "The folder of the data.", completion: .directory)
    var data: String?

    @Option(
      help:
        "The kind of data: digits, cifar10, cifar100, folder, list, voc, coco, yolo, boxes or chestxray14."
    )
    var source: String?

    /// Environment variables that begin as settings do and mean something else.
    private static let reserved: Set<String> = [
      "MUXNET_TORCH", "MUXNET_SHARED", "MUXNET_RECIPES", "MUXNET_STORAGE",
      "MUXNET_STUDY", "MUXNET_TRIAL", "MUXNET_ISA", "MUXNET_RESULTS", "MUXNET_CACHE", "MUXNET_ONLY",
      "MUXNET_WEBP", "MUXNET_GIF", "MUXNET_TIFF", "MUXNET_RSH",
      "MUXNET_LAUNCHED",
      "MUXNET_POSTGRES",  // asked for libpq's headers once
    ]

    /// The settings in layers: defaults, recipe, file, environment, options.
    func tree() throws -> ConfigurationTree {
      var tree = ConfigurationTree()
      if let recipe { tree.overlay(try RecipeLibrary.load(recipe)) }
      if let config { tree.overlay(try ConfigurationTree(contentsOf: config)) }
      try tree.set(
        environment: ProcessInfo.processInfo.environment, reserved: Self.reserved)
      for assignment in assignments {
        try tree.set(assignment: assignment, source: .option("--set \(assignment)"))
      }
      try tree.set(data: data, source: source)
      return tree
    }

    /// The options that were given.
    var given: [String] {
      [("recipe", recipe), ("config", config), ("data", data), ("source", source)]
        .filter { $0.1 != nil }.map(\.0) + (assignments.isEmpty ? [] : ["set"])
    }
  }
#endif
