// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXNetworkFiles
import MUXNetworks

/// Writes the networks that a study found as files.
public enum NetworkExport {
  /// The names of the files that ``write(_:of:to:)`` writes, in order.
  public static func files(for best: [StudyStandings.Best]) -> [String] {
    names(best).map { "\($0).yaml" }
  }

  private static func names(_ best: [StudyStandings.Best]) -> [String] {
    var taken: Set<String> = []
    return best.map { entry in
      var name = fileName(entry.target)
      while !taken.insert(name).inserted { name += "_" }
      return name
    }
  }

  /// Writes a block-string file for each target, named after it, and gives the paths. Files that
  /// exist are replaced.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` for a study of a table; errors of the file system.
  public static func write(
    _ best: [StudyStandings.Best], of study: Study, to folder: String
  ) throws -> [String] {
    try Folders.make(folder)
    return try zip(best, names(best)).map { entry, name in
      let path = "\(folder)/\(name).yaml"
      try write(entry.trial, called: name, of: study, to: path)
      return path
    }
  }

  /// Writes the network of one trial as a block-string file; `name` follows the space's name.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` for a study of a table; errors of the file system.
  public static func write(
    _ trial: Trial, called name: String, of study: Study, to path: String
  ) throws {
    try AtomicFile.write(try yaml(trial, called: name, of: study), to: path)
  }

  /// The network of one trial as the text of a block-string file.
  ///
  /// - Throws: ``StudyError/evaluation(reason:)`` for a study of a table.
  public static func yaml(
    _ trial: Trial, called name: String, of study: Study
  ) throws -> String {
    if let point = study.definition.grid?.point(of: trial.genome) {
      guard let text = point.network.architecture else {
        throw StudyError.evaluation(
          reason:
            "the settings of '\(point.network.name)' name its network; there is no file to write")
      }
      return text
    }
    guard let domain = study.definition.networkDomain else {
      throw StudyError.evaluation(
        reason: "study '\(study.name)' is of a table, whose networks cannot be built")
    }
    let architecture = try domain.architecture(trial.genome, name: "\(domain.space.name)_\(name)")
    return try NetworkFile.yaml(architecture)
  }

  /// The target's name with everything but letters, digits, `-`, `_` and `.` replaced by `_`.
  static func fileName(_ target: String) -> String {
    let kept = target.map { character in
      character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
        ? character : "_"
    }
    let name = String(kept)
    return name.isEmpty || name.hasPrefix(".") ? "_\(name)" : name
  }
}
