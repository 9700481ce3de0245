// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

extension StoreContract {
  static let studyChecks = [
    StoreCheck("a study comes back as it was put in") { store in
      var study = try SampleStudy.study("Größe “1” 'x' \\ % 🦊")
      study.created = Date(timeIntervalSince1970: 1.5)
      study.attributes = ["who": "O'Neill; DROP TABLE muxnet_studies"]
      study.id = try store.write { try $0.insert(study) }
      try store.expect(try store.read { try $0.study(named: study.name) }, is: study, "the study")
      try store.expect(try store.read { try $0.study(named: "other") }, is: nil, "another name")
      try store.expect(try store.write { try $0.lock(study.id) }, is: study, "the locked study")
      try store.expect(
        try store.write { try $0.lock(study.id + 1) }, is: nil, "a study that is not there, locked")
    },
    StoreCheck("a changed study comes back changed") { store in
      var study = try SampleStudy.study("a")
      study.id = try store.write { try $0.insert(study) }
      let other = try store.insertStudy("b")
      study.attributes = ["new": "value"]
      study.master = MasterLease(
        holder: ProcessIdentity(host: "elsewhere", process: 7, nonce: "00000001"),
        end: Date(timeIntervalSince1970: 1_700_000_001.25))
      try store.write { try $0.update(study) }
      try store.expect(try store.read { try $0.study(named: "a") }, is: study, "the study")
      try store.expect(
        try store.read { try $0.study(named: "b") }?.attributes, is: [:], "the other study")
      study.master = nil
      try store.write { try $0.update(study) }
      try store.expect(try store.read { try $0.study(named: "a") }?.master, is: nil, "the master")
      try store.expect(
        try store.read { try $0.studyEntries() },
        is: [StudyEntry(id: study.id, name: "a"), StudyEntry(id: other, name: "b")],
        "the entries, the oldest first")
    },
    StoreCheck("two studies cannot have one name") { store in
      _ = try store.insertStudy()
      try store.expectError("a second study of a name", where: { $0 == .studyExists(name: "a") }) {
        _ = try store.insertStudy()
      }
      try store.expect(try store.read { try $0.studies() }.count, is: 1, "the number of studies")
    },
    StoreCheck("deleting takes everything of a study, and its number is not used again") { store in
      let ids = try ["a", "b"].map(store.insertStudy)
      try store.write { transaction in
        for id in ids {
          try transaction.insert(SampleStudy.trial(0), into: id)
          try transaction.insert(TrialReport(trial: 0, resource: 1, objectives: [1]), into: id)
          try transaction.save(SampleStudy.state(1), of: id)
          try transaction.append(SampleStudy.step(2), of: id)
        }
        try transaction.delete(ids[1])
      }
      try store.read { transaction in
        try store.expect(transaction.studies().map(\.name), is: ["a"], "the studies that are left")
        try store.expect(transaction.counts(of: ids[1]), is: [:], "trials of a deleted study")
        let reports = try transaction.reports(of: ids[1], resource: nil, trial: nil)
        try store.expect(reports, is: [], "reports of a deleted study")
        try store.expect(transaction.algorithm(of: ids[1]), is: nil, "its algorithm's state")
        let steps = try transaction.algorithmSteps(of: ids[1], after: 0)
        try store.expect(steps, is: [], "its algorithm's steps")
        try store.expect(
          transaction.counts(of: ids[0]), is: [.waiting: 1], "trials of the other study")
        try store.expect(
          transaction.algorithmRevision(of: ids[0]), is: 2, "the other algorithm's revision")
      }
      try store.expect(
        try store.insertStudy("b") > ids[1], "a new study has a number that none had before")
    },
    StoreCheck("changing what is not there is an error; deleting it is none") { store in
      let id = try store.insertStudy("here")
      let missing = id + 70
      var study = try SampleStudy.study("gone")
      study.id = missing
      let changes: [(String, (any StudyTransaction) throws -> Void)] = [
        ("updating a study", { try $0.update(study) }),
        ("saving a state", { try $0.save(SampleStudy.state(1), of: missing) }),
        ("appending a step", { try $0.append(SampleStudy.step(1), of: missing) }),
        ("updating a trial of no study", { try $0.update(SampleStudy.trial(0), of: missing) }),
        ("updating a trial that is not there", { try $0.update(SampleStudy.trial(0), of: id) }),
      ]
      for (what, change) in changes {
        func isMissing(_ error: StudyError) -> Bool {
          if case .missing = error { true } else { false }
        }
        try store.expectError(what, where: isMissing) { try store.write(change) }
      }
      try store.expectError("adding a trial to no study") {
        try store.write { try $0.insert(SampleStudy.trial(0), into: missing) }
      }
      try store.expectError("adding a report to no study") {
        try store.write {
          try $0.insert(TrialReport(trial: 0, resource: 1, objectives: [1]), into: missing)
        }
      }
      try store.write { try $0.delete(missing) }
      try store.expect(
        try store.read { try $0.studies() }.map(\.name), is: ["here"], "the studies that are left")
    },
  ]
}
