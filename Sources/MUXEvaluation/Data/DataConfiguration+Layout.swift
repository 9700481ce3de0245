// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXImages
import MUXVision

extension DataConfiguration {
  /// Share of each class that is held out for validation where the data is not divided into parts
  /// and nothing else was asked for.
  static let usualValidationFraction = 0.2

  /// These settings with what the data itself decides: where there is no `val`, a share of each class is
  /// held out, of `train` or of folders of classes without parts; `valid` or `validation` stand for `val`.
  ///
  /// - Returns: The settings, and one line for each thing that was decided.
  /// - Throws: `DataSetError` where there is no such folder.
  public func resolved() throws -> (settings: DataConfiguration, notices: [String]) {
    if source == .chestxray14, let path { return try resolvedChestXRays(at: path) }
    guard let path, source == .folder || source == .list else { return (self, []) }
    var settings = self
    var notices: [String] = []
    if Self.isFile(path), source == .list || path.lowercased().hasSuffix(".csv") {
      settings.source = .list
      if validationFraction == 0, folds == nil, testFraction < 1 - Self.usualValidationFraction {
        settings.validationFraction = Self.usualValidationFraction
        notices.append("\(path) is one list: \(heldOut)")
      }
      return (settings, notices)
    }
    guard source == .folder else {
      if validationFraction == 0, folds == nil, settings.isMissing(.validation) {
        if let other = DataPart.validation.folderNames.first(where: {
          Self.isFile("\(path)/\($0).csv")
        }) {
          settings.validationFolder = other
        } else if validationFolder == DataConfiguration().validationFolder,
          !settings.isMissing(.training), testFraction < 1 - Self.usualValidationFraction
        {
          settings.validationFraction = Self.usualValidationFraction
          notices.append(
            "\(path) has a list \(trainingFolder).csv and none to validate on: \(heldOut)")
        }
      }
      return (settings, notices)
    }
    let usual = DataConfiguration()
    let layout = try FolderLayout(path)
    if trainingFolder == usual.trainingFolder, layout == .classes {
      settings.trainingFolder = ""
      if let line = FolderLayout.warning(at: path) { notices.append("\(path): \(line)") }
    }
    if case .parts(_, let beside) = layout, !beside.isEmpty, trainingFolder == usual.trainingFolder
    {
      notices.append(
        "\(path): folders of images that belong to no part are left out:"
          + " \(beside.prefix(5).joined(separator: ", "))"
          + (beside.count > 5 ? ", … (\(beside.count))" : ""))
    }
    guard validationFraction == 0, folds == nil, validationFolder == usual.validationFolder else {
      return (settings, notices)
    }
    if let folder = layout.folder(of: .validation) {
      settings.validationFolder = folder
      if folder != usual.validationFolder {
        notices.append("\(path): \(folder) holds the validation images")
      }
    } else if testFraction < 1 - Self.usualValidationFraction,
      settings.takesWholeFolder || !settings.isMissing(.training)
    {
      settings.validationFraction = Self.usualValidationFraction
      let what = settings.takesWholeFolder ? "folders of classes" : "a folder \(trainingFolder)"
      notices.append("\(path) has \(what) and no folder of validation images: \(heldOut)")
    }
    return (settings, notices)
  }

  /// Shares of the patients for validation and test where no lists divide them: those of the paper.
  static let chestXRayFractions = (validation: 0.1, test: 0.2)

  private func resolvedChestXRays(
    at path: String
  ) throws -> (settings: DataConfiguration, notices: [String]) {
    var settings = self
    var notices: [String] = []
    let split = try split ?? ChestXRay14.usualSplit(at: path)
    settings.split = split
    if self.split == nil { notices.append("\(path): data.split is \(split.rawValue)") }
    guard split != .arnoweng, validationFraction == 0, folds == nil else {
      return (settings, notices)
    }
    let fractions = Self.chestXRayFractions
    if testFraction < 1 - fractions.validation {
      settings.validationFraction = fractions.validation
      notices.append(
        "\(Int(100 * fractions.validation)) % of the images are held out for validation, by patient"
          + " (data.validationFraction)")
    }
    if split == .seed, testFraction == 0 {
      settings.testFraction = fractions.test
      notices.append(
        "\(Int(100 * fractions.test)) % of the images are held out for the test, by patient"
          + " (data.testFraction)")
    }
    return (settings, notices)
  }

  private var heldOut: String {
    "\(Int(100 * Self.usualValidationFraction)) % of each class are held out for validation, drawn"
      + " by data.splitSeed (\(splitSeed)); data.validationFraction sets another share"
  }

  static func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }

  /// Where the images or the list of a part lie.
  func place(of part: DataPart) -> String {
    let (path, folder) = (path ?? "", folder(of: part))
    if source == .list || source == .boxes {
      return Self.isFile(path) ? path : "\(path)/\(folder).csv"
    }
    return folder.isEmpty ? path : "\(path)/\(folder)"
  }

  /// Whether a part is not where the settings say.
  func isMissing(_ part: DataPart) -> Bool {
    !FileManager.default.fileExists(atPath: place(of: part))
  }

  /// Whether the training images' folder is that of the data itself.
  var takesWholeFolder: Bool { ["", ".", "./"].contains(trainingFolder) }

  /// The folder of a part below the folder of the data.
  func folder(of part: DataPart) -> String {
    switch part {
    case .training: trainingFolder
    case .validation: validationFolder
    case .test: testFolder
    }
  }

  /// Says that a part has no folder, and which settings help.
  func missingFolder(of part: DataPart, in path: String) -> ConfigurationError {
    let folder = folder(of: part)
    let there = (try? FolderLayout(path)).flatMap { layout -> String? in
      guard source == .folder, case .parts(let parts, _) = layout else { return nil }
      return parts.map(\.folder).joined(separator: ", ")
    }
    let remedy =
      switch part {
      case .training:
        "name the folder of the training images here, or leave it empty where \(path) itself holds"
          + " one folder of images per class"
      case .validation:
        "name the folder of the validation images here, or hold some of the training images out"
          + " with data.validationFraction (0.2, say)"
      case .test:
        "name the folder of the test images here, or hold some of the training images out with"
          + " data.testFraction (0.1, say)"
      }
    return ConfigurationError(
      setting: "data.\(part.rawValue)Folder", value: folder,
      expected:
        "there is no such \(source == .list || source == .boxes ? "list (.csv)" : "folder") in \(path)"
        + (there.map { " (but \($0))" } ?? "")
        + "; \(remedy)")
  }
}
