// SPDX-License-Identifier: Apache-2.0

/// Workers of one version at a time: what an algorithm asks for, and what an evaluation comes to, may change
/// from one to the next.
extension StudyCoordinator {
  /// The attribute of a study with the version of its workers.
  public static let versionKey = "workers.version"

  /// Lets workers of a version work on a study: where workers of another one are on it, they keep it; where
  /// nobody is, this version takes over.
  ///
  /// - Throws: ``StudyError/otherVersion(study:theirs:ours:)``.
  public func agree(onVersion version: String, of study: Study) throws {
    if study.attributes[Self.versionKey] == version { return }
    try write(study) { transaction, study in
      let known = study.attributes[Self.versionKey]
      guard known != version else { return }
      let running = try expireLeases(transaction, study, try transaction.now()).running
      if let known, running.contains(where: { $0.heldSeconds == nil }) {
        throw StudyError.otherVersion(study: study.name, theirs: known, ours: version)
      }
      var taken = study
      taken.attributes[Self.versionKey] = version
      try transaction.update(taken)
    }
  }

  /// Refuses a study that workers of another version have taken over; without a version nothing is checked.
  func checkVersion(_ version: String?, of study: Study) throws {
    guard let version, let known = study.attributes[Self.versionKey], known != version else {
      return
    }
    throw StudyError.otherVersion(study: study.name, theirs: known, ours: version)
  }
}
