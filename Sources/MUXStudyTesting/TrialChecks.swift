// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

extension StoreContract {
  static let trialChecks = [
    StoreCheck("a trial comes back as it was put in, also all of its numbers") { store in
      let id = try store.insertStudy()
      var trial = SampleStudy.trial(0)
      try store.write { try $0.insert(trial, into: id) }
      try store.expect(try store.read { try $0.trial(0, of: id) }, is: trial, "a new trial")
      trial.state = .complete
      trial.subproblem = 1
      trial.objectives = [0.1 + 0.2, 1e-300, 123_456_789_012_345]
      trial.violation = 1.0 / 3
      trial.attempt = 2
      trial.worker = "host:1:abc"
      trial.leaseEnd = Date(timeIntervalSince1970: 1_700_000_001.25)
      trial.started = Date(timeIntervalSince1970: 1_700_000_002.5)
      trial.finished = Date(timeIntervalSince1970: 1_700_000_003.75)
      trial.finishOrder = 0
      trial.isTold = true
      trial.reason = "because"
      try store.write { try $0.update(trial, of: id) }
      try store.expect(try store.read { try $0.trial(0, of: id) }, is: trial, "a changed trial")
      try store.expect(try store.read { try $0.trial(1, of: id) }, is: nil, "a trial not there")
    },
    StoreCheck("running trials, and how many are not through, are told without the others") {
      store in
      let id = try store.insertStudy()
      let states: [TrialState] = [.failed, .running, .waiting, .running, .stale]
      try store.write { transaction in
        for (number, state) in states.enumerated() {
          var trial = SampleStudy.trial(number)
          trial.state = state
          if state == .failed { trial.finishOrder = 0 }
          if state == .running {
            trial.worker = "host:\(number):abc"
            trial.leaseEnd = Date(timeIntervalSince1970: 1_700_000_001.25 + Double(number))
          }
          if number == 3 { trial.attributes["held"] = "60" }
          try transaction.insert(trial, into: id)
        }
      }
      try store.read { transaction in
        let running = try transaction.trials(of: id, in: [.running], limit: nil)
        try store.expect(
          transaction.runningTrials(of: id), is: running.map(RunningTrial.init), "running trials")
        try store.expect(
          transaction.runningTrials(of: id).map(\.heldSeconds), is: [nil, 60], "held trials")
        try store.expect(
          transaction.openCounts(of: id), is: [.running: 2, .waiting: 1, .stale: 1],
          "how many are not through")
        try store.expect(transaction.openCounts(of: id + 1), is: [:], "those of no study")
      }
    },
    StoreCheck("trials are found by state, by order of finishing and by being told") { store in
      let id = try store.insertStudy()
      try store.write { transaction in
        for number in 0..<6 {
          var trial = SampleStudy.trial(number)
          if number % 2 == 0 {
            trial.state = number == 0 ? .failed : .complete
            trial.objectives = number == 0 ? nil : [1, 2, 3]
            trial.finishOrder = [4: 0, 0: 1, 2: 2][number]
            trial.isTold = number == 4
          }
          try transaction.insert(trial, into: id)
        }
      }
      try store.read { transaction in
        func expect(_ trials: [Trial], are numbers: [Int], _ what: String) throws {
          try store.expect(trials.map(\.number), is: numbers, what)
        }
        try expect(
          transaction.trials(of: id, in: [], limit: nil), are: [0, 1, 2, 3, 4, 5], "all trials")
        try expect(
          transaction.trials(of: id, in: [.waiting], limit: 2), are: [1, 3], "two waiting trials")
        try expect(
          transaction.trials(of: id, in: [.complete, .failed], limit: nil), are: [0, 2, 4],
          "complete and failed trials")
        try expect(
          transaction.finishedTrials(of: id, from: 0), are: [4, 0, 2], "trials as they finished")
        try expect(
          transaction.finishedTrials(of: id, from: 2), are: [2], "trials that finished later")
        try expect(transaction.untoldTrials(of: id), are: [0, 2], "trials not told")
        try store.expect(
          transaction.counts(of: id), is: [.waiting: 3, .complete: 2, .failed: 1], "the counts")
        try store.expect(transaction.counts(of: id + 1), is: [:], "the counts of no study")
        try store.expect(transaction.totals(of: id) == (6, 3), "the totals are 6 and 3")
        try store.expect(transaction.totals(of: id + 1) == (0, 0), "the totals of no study are 0")
      }
    },
    StoreCheck("a network cannot be in a study twice, nor a number") { store in
      let ids = try ["a", "b"].map(store.insertStudy)
      try store.write { try $0.insert(SampleStudy.trial(0), into: ids[0]) }
      var twin = SampleStudy.trial(1)
      twin.key = SampleStudy.trial(0).key
      try store.expectError("adding a network again") {
        try store.write { try $0.insert(twin, into: ids[0]) }
      }
      twin = SampleStudy.trial(1)
      twin.number = 0
      try store.expectError("adding a number again") {
        try store.write { try $0.insert(twin, into: ids[0]) }
      }
      try store.expect(
        try store.read { try $0.counts(of: ids[0]) }, is: [.waiting: 1], "the counts")
      // Another study may have both.
      try store.write { try $0.insert(SampleStudy.trial(0), into: ids[1]) }
    },
    StoreCheck("reports keep their order, one for each trial and resource") { store in
      let id = try store.insertStudy()
      let given = [
        TrialReport(trial: 2, resource: 1, objectives: [3, 4]),
        TrialReport(trial: 0, resource: 1, objectives: [1, 2]),
        TrialReport(trial: 2, resource: 3, objectives: [2.5, 4]),
      ]
      try store.write { transaction in
        for report in given { try transaction.insert(report, into: id) }
        try transaction.insert(TrialReport(trial: 2, resource: 1, objectives: [9, 9]), into: id)
      }
      try store.read { transaction in
        func expect(_ resource: Int?, _ trial: Int?, are places: [Int]) throws {
          let reports = try transaction.reports(of: id, resource: resource, trial: trial)
          let asked = [resource.map { "resource \($0)" }, trial.map { "trial \($0)" }]
          try store.expect(
            reports, is: places.map { given[$0] },
            "the reports \(asked.compactMap { $0 }.joined(separator: ", "))")
        }
        try expect(nil, nil, are: [0, 1, 2])
        try expect(1, nil, are: [0, 1])
        try expect(nil, 2, are: [0, 2])
        try expect(1, 0, are: [1])
      }
    },
  ]
}
