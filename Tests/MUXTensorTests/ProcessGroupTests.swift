// SPDX-License-Identifier: Apache-2.0
import MUXTensor
import MUXTensorTestSupport
import MUXTestSupport
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

@Suite("Groups of processes", .tags(.waits), .endsSometime) struct ProcessGroupTests {
  @Test("Sums, maxima, what one sends and what all send arrive everywhere", arguments: [2, 3])
  func collectives(size: Int) throws {
    let results = try Ranks.all(size) { group in
      let rank = Double(group.rank)
      let sums = try group.sums([1, rank])
      let maximum = try Tensor([rank, -rank])
      try group.allReduce(maximum, .maximum)
      let sent = [try Tensor([Float(rank)]), try Tensor([Int64(group.rank), 7])]
      try group.broadcast(sent, from: 1)
      let bytes = try group.allGather([UInt8](repeating: UInt8(group.rank), count: group.rank))
      let text = try group.broadcast(Array("of \(group.rank)".utf8))
      try group.barrier()
      return (
        sums, try maximum.array(of: Double.self), try sent[0].item(),
        try sent[1].array(of: Int64.self),
        bytes, String(decoding: text, as: UTF8.self)
      )
    }
    #expect(results.count == size)
    for result in results {
      #expect(result.0 == [Double(size), Double(size * (size - 1) / 2)])
      #expect(result.1 == [Double(size - 1), 0])
      #expect(result.2 == 1)
      #expect(result.3 == [1, 7])
      #expect(result.4 == (0..<size).map { [UInt8](repeating: UInt8($0), count: $0) })
      #expect(result.5 == "of 0")
    }
  }

  @Test("A process that works alone has nobody to ask")
  func single() throws {
    let group = ProcessGroup.single
    #expect(group.rank == 0 && group.size == 1 && group.isFirst)
    try group.connect()
    try group.agree(on: [("data", "1")])
    #expect(try group.sums([3]) == [3])
    #expect(try group.allGather([1, 2]) == [[1, 2]])
    try group.barrier()
  }

  @Test("A tensor that is sent may lie in memory in another order")
  func order() throws {
    let results = try Ranks.all(2) { group in
      let tensor = try Tensor((0..<24).map { Float($0 + 100 * group.rank) }, shape: [1, 2, 3, 4])
        .contiguous(.channelsLast)
      try group.broadcast([tensor])
      return try tensor.contiguous().floats()
    }
    #expect(results == [(0..<24).map { Float($0) }, (0..<24).map { Float($0) }])
  }

  @Test("All are told the same of what differs, before anything is done together")
  func agreement() throws {
    let results = try Ranks.run(3) { group in
      try group.agree(on: [
        ("the network", "a"), ("data of", group.rank == 2 ? "9 images" : "10 images"),
      ])
    }
    for result in results {
      #expect(
        throws: ProcessGroupError.differs(
          rank: 2, what: "data of", value: "9 images", first: "10 images")
      ) { try result.get() }
    }
    let alike = try Ranks.run(2) { try $0.agree(on: [("the network", "a")]) }
    #expect(alike.allSatisfy { (try? $0.get()) != nil })
  }

  @Test(
    "Where one will not train, all others are told why instead of waiting for it",
    arguments: 0..<3)
  func refusal(refusing: Int) throws {
    let results = try Ranks.run(3) { group in
      if group.rank == refusing {
        group.refuse("no images")
      } else {
        try group.agree(on: [("the network", "a")])
      }
    }
    #expect(results.count == 3)
    for (rank, result) in results.enumerated() where rank != refusing {
      #expect(
        throws: ProcessGroupError.refused(rank: refusing, size: 3, reason: "no images")
      ) { try result.get() }
    }
    let told = try Ranks.run(2) { group in
      if group.isFirst { group.refuse("no images") }
      return group.isFirst ? "" : try group.tell("run", "")
    }
    #expect(throws: ProcessGroupError.refused(rank: 0, size: 2, reason: "no images")) {
      try told[1].get()
    }
  }

  @Test("A network interface that this machine does not have is an error that names those it has")
  func noInterface() throws {
    // Nobody serves there: it is found before anything is asked for.
    let place = ProcessPlace(rank: 1, size: 2, host: "127.0.0.1", port: 1)
    #expect {
      _ = try ProcessGroup(place, timeout: 5, interface: "none0")
    } throws: { error in
      guard case .noInterface("none0", let existing)? = error as? ProcessGroupError else {
        return false
      }
      return existing.contains { ["lo", "lo0"].contains($0) }
        && Set(existing).count == existing.count
        && "\(error)".contains("none0") && !"\(error)".contains("\n")
        && existing.allSatisfy { "\(error)".contains($0) }
    }
  }

  @Test(
    "Of several network interfaces none is there: the error names each of them",
    arguments: ["none0,none1", " none0 , none1,", ",none1,,none0", ","])
  func noneOfSeveral(list: String) throws {
    let place = ProcessPlace(rank: 1, size: 2, host: "127.0.0.1", port: 1)
    #expect {
      _ = try ProcessGroup(place, timeout: 5, interface: list)
    } throws: { error in
      guard case .noInterface(list, _)? = error as? ProcessGroupError else { return false }
      let text = "\(error)"
      return !text.contains("\n") && text.contains("no such network interface")
        && (list == "," || text.contains("(neither none0 nor none1)")
          || text.contains("(neither none1 nor none0)"))
    }
  }

  @Test(
    "A network interface that this machine has is used, also where others of a list are not there",
    arguments: ["*", "none0,*", "*,none0", " none0 , * "])
  func ownInterface(list: String) throws {
    let server = try StoreServer()
    let names: [String] = ["lo", "lo0"]
    let name: String = try #require(names.first { if_nametoindex($0) != 0 })
    let place = ProcessPlace(
      rank: 0, size: 2, host: "127.0.0.1", port: server.port, launcherServes: true)
    _ = try ProcessGroup(place, timeout: 5, interface: list.replacing("*", with: name))
    withExtendedLifetime(server) {}
  }

  @Test("Who waits for a process that does not come gives up in time, in one line")
  func timeOut() throws {
    let results = try Ranks.run(2, timeout: 1) { group in
      try group.connect()
      group.activity = "in step 3"
      if group.rank == 0 { _ = try group.sums([1]) }
    }
    #expect { try results[0].get() } throws: { error in
      guard let error = error as? ProcessGroupError, case .lost(0, 2, "in step 3", _) = error else {
        return false
      }
      return !"\(error)".contains("\n") && !"\(error)".contains(".cc")
    }
  }

  @Test(
    "Launchers' variables: torchrun's, those of steps of Slurm and of mpirun, and what is wrong in them"
  )
  func places() throws {
    #expect(try ProcessPlace.given(by: [:]) == nil)
    #expect(try ProcessPlace.given(by: ["RANK": "0", "WORLD_SIZE": "1"]) == nil)
    // A script of sbatch, not a step.
    #expect(try ProcessPlace.given(by: ["SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == nil)
    let torchrun = [
      "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2",
      "MASTER_ADDR": "node0", "MASTER_PORT": "1234", "TORCHELASTIC_USE_AGENT_STORE": "True",
      "TORCHELASTIC_RESTART_COUNT": "2", "TORCHELASTIC_RUN_ID": "seven",
    ]
    let place = try #require(try ProcessPlace.given(by: torchrun))
    #expect(place.rank == 3 && place.size == 4 && place.localRank == 1 && place.localSize == 2)
    #expect(place.host == "node0" && place.port == 1234 && place.launcherServes)
    #expect(place.restarts == 2 && place.launch == "seven" && !place.isLocal)
    let slurm = try #require(
      try ProcessPlace.given(by: [
        "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "MASTER_ADDR": "node0",
      ]))
    #expect(slurm.rank == 1 && slurm.port == 29_500 && !slurm.launcherServes && !slurm.isLocal)
    let mpi = try #require(
      try ProcessPlace.given(by: [
        "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2",
        "OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "5",
      ]))
    #expect(mpi.rank == 1 && mpi.isLocal && mpi.port == 5)
    for (name, value) in [
      ("RANK", "4"), ("RANK", "-1"), ("WORLD_SIZE", "many"), ("MASTER_PORT", "0"),
      ("LOCAL_WORLD_SIZE", "5"),
    ] {
      var wrong = torchrun
      wrong[name] = value
      #expect { try ProcessPlace.given(by: wrong) } throws: { "\($0)".contains(name) }
    }
    var headless = torchrun
    headless["MASTER_ADDR"] = nil
    #expect { try ProcessPlace.given(by: headless) } throws: {
      "\($0)".contains("MASTER_ADDR is not set")
    }
  }
}
