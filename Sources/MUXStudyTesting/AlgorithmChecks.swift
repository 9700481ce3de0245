// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXStudies

extension StoreContract {
  static let algorithmChecks = [
    StoreCheck("the algorithm's state is kept with its revision") { store in
      let id = try store.insertStudy()
      try store.expect(try store.read { try $0.algorithm(of: id) }, is: nil, "no state yet")
      try store.expect(try store.read { try $0.algorithmRevision(of: id) }, is: 0, "no revision")
      let record = AlgorithmRecord(revision: 7, state: Data(#"{"a":["é",1e308]}"#.utf8))
      try store.write { try $0.save(record, of: id) }
      try store.expect(try store.read { try $0.algorithm(of: id) }, is: record, "the state")
      try store.expect(try store.read { try $0.algorithmRevision(of: id) }, is: 7, "the revision")
    },
    StoreCheck("steps follow the state one by one; a later state takes their place") { store in
      let id = try store.insertStudy()
      try store.write { transaction in
        try transaction.save(SampleStudy.state(1), of: id)
        for revision in 2...5 { try transaction.append(SampleStudy.step(revision), of: id) }
      }
      try store.read { transaction in
        try store.expect(transaction.algorithm(of: id), is: SampleStudy.state(1), "the state")
        try store.expect(
          transaction.algorithmStateRevision(of: id), is: 1, "the state's revision")
        try store.expect(transaction.algorithmRevision(of: id), is: 5, "the last step's revision")
        for first in [1, 3] {
          try store.expect(
            transaction.algorithmSteps(of: id, after: first),
            is: (first + 1...5).map(SampleStudy.step), "the steps after \(first)")
        }
      }
      for revision in [3, 5, 7] {
        try store.expectError("appending step \(revision) after 5") {
          try store.write { try $0.append(SampleStudy.step(revision), of: id) }
        }
      }
      try store.write { try $0.save(SampleStudy.state(4), of: id) }
      try store.write { try $0.save(SampleStudy.state(2), of: id) }
      try store.read { transaction in
        try store.expect(
          transaction.algorithm(of: id), is: SampleStudy.state(4),
          "the state, after an older one was to be saved")
        try store.expect(transaction.algorithmRevision(of: id), is: 5, "the revision after that")
        try store.expect(
          transaction.algorithmSteps(of: id, after: 0), is: [SampleStudy.step(5)],
          "the steps that the state does not hold")
      }
    },
  ]
}
