// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import MUXDashboard
import MUXSearch
import MUXStudies
import MUXTestSupport
import Testing

@Suite("Dashboard")
struct RouterTests {
  private func get(
    _ path: String, _ store: any StudyStore, host: String = "127.0.0.1",
    method: HTTPRequest.Method = .get
  ) async throws -> (status: Int, type: String, body: String, headers: HTTPFields) {
    let answer = try await Client(store, host: host).get(path, method: method)
    return (
      answer.status.code, answer.headers[.contentType] ?? "", answer.body, answer.headers
    )
  }

  @Test("The list shows studies with counts and best values")
  func list() async throws {
    let page = try await get("/", try Sample.store(20))
    #expect(page.status == 200)
    #expect(page.type == "text/html; charset=utf-8")
    #expect(page.body.contains("<a href=\"/studies/demo\">demo</a>"))
    #expect(page.body.contains("21/23"))
    #expect(page.body.contains("small: g "))
    #expect(page.body.contains("large &lt;b&gt;&amp;&quot;: g "))
    #expect(page.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
    let empty = try await get("/", MemoryStore())
    #expect(empty.status == 200)
    #expect(empty.body.contains("no studies yet"))
  }

  @Test("A damaged study is named in the list, and does not hide the others")
  func damaged() async throws {
    let folder = try TemporaryFolder()
    let sqlite = try SQLiteStore(path: folder("a.db"), access: .create)
    let store = try Sample.store(8, name: "bad", in: sqlite)
    _ = try Sample.store(5, name: "good", in: sqlite)
    try store.write { transaction in
      guard let id = try transaction.study(named: "bad")?.id,
        var trial = try transaction.trial(2, of: id)
      else { return }
      trial.objectives = [1]
      try transaction.update(trial, of: id)
    }
    let page = try await get("/", store)
    #expect(page.status == 200)
    #expect(page.body.contains("<a href=\"/studies/good\">good</a>"))
    #expect(page.body.contains("trial 2 is damaged: it has 1 objectives, not 3"))
    let own = try await get("/studies/bad", store)
    #expect(own.status == 500)
    #expect(own.body.contains("trial 2 is damaged"))
  }

  @Test("A study's page has all charts, its numbers, and nothing unescaped")
  func study() async throws {
    let page = try await get("/studies/demo", try Sample.store(30))
    #expect(page.status == 200)
    for name in [
      "front-params-error", "front-madds-error", "front-params-madds", "hypervolume", "best-g",
      "parallel-coordinates", "gene-frequencies",
    ] {
      #expect(page.body.contains("id=\"\(name)\""), "\(name)")
    }
    #expect(page.body.contains("31 of 33 finished (1 waiting, 1 running, 30 complete, 1 failed)"))
    #expect(page.body.contains("<script src=\"/dashboard.js\" defer></script>"))
    #expect(!page.body.contains("<script>alert"))
    #expect(!page.body.contains("<b>"))
    #expect(!page.body.contains("src=\"http") && !page.body.contains("href=\"http"))
  }

  @Test("A study without targets, and one without trials, have pages")
  func otherStudies() async throws {
    let store = try Sample.store(12, name: "front", targets: [])
    _ = try StudyCoordinator(store).create("empty", try Sample.definition())
    let front = try await get("/studies/front", store)
    #expect(front.status == 200)
    #expect(front.body.contains("directions"))
    let empty = try await get("/studies/empty", store)
    #expect(empty.status == 200)
    #expect(empty.body.contains("no complete trial yet"))
  }

  @Test("Trials come in pages, by state, newest first")
  func trials() async throws {
    let store = try Sample.store(230)
    let first = try await get("/studies/demo/trials", store)
    #expect(first.status == 200)
    #expect(first.body.contains("page 1 of 3"))
    #expect(first.body.contains("/studies/demo/trials/231\">"))
    #expect(!first.body.contains("/studies/demo/trials/5\">"))
    let last = try await get("/studies/demo/trials?page=3", store)
    #expect(last.body.contains("/studies/demo/trials/5\">"))
    let failed = try await get("/studies/demo/trials?state=failed", store)
    #expect(failed.body.contains("exit code 1: &lt;img src=x&gt;"))
    #expect(!failed.body.contains("/studies/demo/trials/5\">"))
  }

  @Test("Trials are sorted and filtered over all pages")
  func selection() async throws {
    let store = try Sample.store(230)
    let study = try StudyCoordinator(store).study(named: "demo")
    let trials = try store.read { try $0.trials(of: study.id, in: [.complete], limit: nil) }
    let errors = trials.compactMap { $0.objectives?.first }
    let best = try #require(trials.min { ($0.objectives?[0] ?? 0) < ($1.objectives?[0] ?? 0) })
    func order(_ page: String) -> [Int] {
      page.split(separator: "name=\"trial\" value=\"").dropFirst()
        .compactMap { Int($0.prefix { $0 != "\"" }) }
    }
    let sorted = try await get("/studies/demo/trials?sort=error", store)
    let shown = order(sorted.body).map { number in trials.first { $0.number == number } }
    #expect(shown.count == 100 && shown.first??.objectives?[0] == best.objectives?[0])
    let values = shown.compactMap { $0?.objectives?[0] }
    #expect(values == values.sorted())
    let down = try await get("/studies/demo/trials?sort=error&order=down", store)
    let highest = trials.first { $0.number == order(down.body).first }
    #expect(highest?.objectives?[0] == errors.max())
    let middle = errors.sorted()[errors.count / 4]
    let few = try await get("/studies/demo/trials?where=error%3C\(middle)&state=complete", store)
    #expect(
      Set(order(few.body)) == Set(trials.filter { $0.objectives?[0] ?? 99 < middle }.map(\.number)))
    let within = try await get("/studies/demo/trials?within=small", store)
    let expected = trials.filter { $0.objectives?[1] ?? 0 <= 5e3 && $0.objectives?[2] ?? 0 <= 1e5 }
    #expect(Set(order(within.body)) == Set(expected.map(\.number)))
    let gene = try await get("/studies/demo/trials?where=stem%3D8", store)
    #expect(gene.status == 200)
    for bad in [
      "sort=beauty", "where=error", "where=beauty%3C3", "where=error%3Cmuch", "within=no",
    ] {
      let answer = try await get("/studies/demo/trials?\(bad)", store)
      #expect(answer.status == 400 && answer.body.split(separator: "\n").count == 1, "\(bad)")
    }
  }

  @Test("Trials are compared side by side, and their networks are files")
  func compare() async throws {
    let store = try Sample.store(20)
    let page = try await get("/studies/demo/compare?trial=2&trial=7&trial=2", store)
    #expect(page.status == 200)
    #expect(page.body.contains(">trial 2</a>") && page.body.contains(">trial 7</a>"))
    #expect(page.body.contains("other genes have the same choice"))
    for bad in ["", "trial=x", "trial=99", (0..<9).map { "trial=\($0)" }.joined(separator: "&")] {
      let answer = try await get("/studies/demo/compare?\(bad)", store)
      #expect([400, 404].contains(answer.status), "\(bad)")
    }
    let file = try await get("/studies/demo/trials/2/network.yaml", store)
    #expect(file.type == "text/yaml; charset=utf-8" && file.body.contains("stages:"))
  }

  @Test("A trial's page shows its numbers, blocks and the drawn network")
  func trial() async throws {
    let store = try Sample.store(5)
    let page = try await get("/studies/demo/trials/2", store)
    #expect(page.status == 200)
    #expect(page.body.contains("<dt>error</dt>"))
    #expect(page.body.contains("ds_k") || page.body.contains("ir_k"))
    #expect(page.body.contains("<svg"))
    let text = try await get("/studies/demo/texts/2", store)
    #expect(text.type == "text/plain; charset=utf-8")
    #expect(text.body.hasPrefix("trial 2"))
    // One of five: best for a target, and so with a line on how it fits that.
    #expect([3, 4].contains(text.body.split(separator: "\n").count))
  }

  @Test("A trial's page has its times, its notes and the end of its log, as text")
  func log() async throws {
    let store = try Sample.store(5)
    let study = try StudyCoordinator(store).study(named: "demo")
    try store.write { transaction in
      guard var trial = try transaction.trial(2, of: study.id) else { return }
      trial.attributes = ["note": "odd <i>", "log": "epoch 1\n<b>loss</b> nan"]
      trial.violation = 0.25
      try transaction.update(trial, of: study.id)
    }
    let page = try await get("/studies/demo/trials/2", store)
    #expect(page.body.contains("<dt>took</dt>") && page.body.contains("<dt>created</dt>"))
    #expect(page.body.contains("<dt>violation</dt><dd>0.25</dd>"))
    #expect(page.body.contains("<dt>note</dt>") && page.body.contains("odd &lt;i&gt;"))
    #expect(page.body.contains("epoch 1\n&lt;b&gt;loss&lt;/b&gt; nan</pre>"))
    #expect(page.body.contains("/studies/demo/trials/2/network.yaml"))
  }

  @Test("A study's page says which budgets are kept, what is over by how much, and what matters")
  func budgets() async throws {
    let store = try Sample.store(
      60,
      targets: [
        .budget("wide", ["params": 9e4, "madds": 1.8e6]), .budget("tight", ["params": 1060]),
      ])
    let page = try await get("/studies/demo", store)
    #expect(page.status == 200)
    #expect(page.body.contains("within: params −"))
    #expect(page.body.contains("over: params +"))
    #expect(page.body.contains("<h2>Importance of choices</h2>"))
    let trials = try await get("/studies/demo/trials", store)
    #expect(trials.body.contains("over: params +"))
  }

  @Test("The CSV file is that of search export")
  func csv() async throws {
    let store = try Sample.store(450)
    let file = try await get("/studies/demo/trials.csv", store)
    #expect(file.status == 200)
    #expect(file.headers[.contentDisposition] == "attachment; filename=\"demo.csv\"")
    let study = try StudyCoordinator(store).study(named: "demo")
    let trials = try store.read { try $0.trials(of: study.id, in: [], limit: nil) }
    #expect(file.body == (try StudyRecorder(study.definition).csv(trials)))
  }

  @Test(
    "Bad requests get an answer of 4xx with one line",
    arguments: [
      ("/studies/none", 404), ("/studies/demo/trials/99", 404), ("/studies/demo/trials/-1", 400),
      ("/studies/demo/trials/x", 400), ("/studies/demo/trials/99999999999999999999", 400),
      ("/studies/demo/trials?page=0", 400), ("/studies/demo/trials?page=2", 400),
      ("/studies/demo/trials?page=x", 400), ("/studies/demo/trials?state=odd", 400),
      ("/studies/%FF", 400), ("/studies/none/events", 404), ("/studies/none/trials.csv", 404),
      ("/../etc/passwd", 404), ("/studies", 404), ("/favicon.ico", 404), ("/studies/demo/x", 404),
      ("/studies/demo%00", 404), ("/studies/demo/texts/9999", 404),
    ])
  func badRequests(path: String, status: Int) async throws {
    let answer = try await get(path, try Sample.store(3))
    #expect(answer.status == status, "\(path): \(answer.body)")
    #expect(answer.type == "text/plain; charset=utf-8")
    #expect(answer.body.split(separator: "\n").count == 1)
  }

  @Test("Names that need encoding find their studies")
  func names() async throws {
    let store = try Sample.store(3, name: "größe & <co> 100%?")
    let list = try await get("/", store)
    let match = try #require(list.body.firstMatch(of: /href="(\/studies\/[^"]+)"/))
    let page = try await get(String(match.1), store)
    #expect(page.status == 200)
    #expect(page.body.contains("größe &amp; &lt;co&gt; 100%?"))
  }

  @Test("Only reading is answered")
  func methods() async throws {
    let store = try Sample.store(3)
    for method in [HTTPRequest.Method.post, .put, .delete] {
      let answer = try await get("/studies/demo", store, method: method)
      #expect((400..<500).contains(answer.status))
    }
    #expect(try await get("/studies/demo", store, method: .head).status == 200)
  }

  @Test("A changed study changes its page, also after a retry")
  func changes() async throws {
    let store = try Sample.store(6)
    let model = DashboardModel(store, interval: 0)
    let first = try await model.snapshot(of: "demo")
    #expect(first.finishedCount == 7)
    let study = first.view.study
    try store.write { transaction in
      var trial = try #require(try transaction.trial(7, of: study.id))
      trial.state = .complete
      trial.objectives = [1, 2000, 30_000]
      trial.finishOrder = 7
      try transaction.update(trial, of: study.id)
    }
    let second = try await model.snapshot(of: "demo")
    #expect(second.finishedCount == 8)
    #expect(second.revision != first.revision)
    #expect(second.view.history.completed.count == 7)
    try store.write { transaction in
      var trial = try #require(try transaction.trial(6, of: study.id))
      trial.state = .waiting
      trial.finishOrder = nil
      try transaction.update(trial, of: study.id)
    }
    let third = try await model.snapshot(of: "demo")
    #expect(third.finishedCount == 7)
    #expect(third.revision != second.revision)
    #expect(third.active.map(\.number).contains(6))
    let name = try #require(try StudyCoordinator(store).studies().first)
    try StudyCoordinator(store).delete(name)
    await #expect(throws: StudyError.self) { try await model.snapshot(of: "demo") }
  }

  @Test("Requests for other hosts are refused, unless the server is meant for others")
  func hosts() async throws {
    let store = try Sample.store(3)
    for (authority, status) in [
      ("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("localhost", 200),
      ("evil.example:8080", 421), ("127.0.0.1.evil.example", 421), ("", 400), (nil, 400),
    ] as [(String?, Int)] {
      let answer = try await Client(store).get("/", authority: authority)
      #expect(answer.status.code == status, "\(authority ?? "none")")
    }
    let open = try await Client(store, host: "0.0.0.0").get("/", authority: "box.example:8080")
    #expect(open.status == .ok)
  }

  @Test("A reverse proxy's host is trusted where it is named, on any address, and no other one")
  func trustedHosts() async throws {
    let store = try Sample.store(3)
    for host in ["127.0.0.1", "0.0.0.0"] {
      let client = Client(
        DashboardModel(store), host: host, trusting: ["Studies.example", "other.example"])
      for (authority, status) in [
        ("studies.example", 200), ("studies.EXAMPLE:443", 200), ("other.example", 200),
        ("localhost:8080", 200), ("evil.example", 421), ("studies.example.evil", 421),
      ] {
        let answer = try await client.get("/", authority: authority)
        #expect(answer.status.code == status, "\(host), \(authority)")
      }
    }
  }

  @Test("Every answer keeps other sites out")
  func headers() async throws {
    for path in ["/", "/dashboard.js", "/studies/demo", "/none", "/studies/demo/trials.csv"] {
      let answer = try await Client(try Sample.store(3)).get(path)
      for (name, value) in [
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
      ] {
        let field = try #require(HTTPFields.Element.Name(name))
        #expect(answer.headers[field] == value, "\(path): \(name)")
      }
      #expect(answer.headers[.contentSecurityPolicy]?.contains("frame-ancestors 'none'") == true)
    }
  }

  @Test("Where too many pages listen the oldest one goes, and places come back")
  func streamPlaces() {
    let places = StreamPlaces()
    var held = (0..<StreamPlaces.most).map { _ in places.enter() }
    #expect(held.map(\.isOurs) == Array(repeating: true, count: StreamPlaces.most))
    held.append(places.enter())
    #expect(held.map(\.isOurs) == [false] + Array(repeating: true, count: StreamPlaces.most))
    held[5].leave()
    held.append(places.enter())
    #expect(held.filter(\.isOurs).count == StreamPlaces.most)
    #expect(held[1].isOurs, "the place that was free is taken first")
    held.removeLast(2)
    held.append(places.enter())
    #expect(held[1].isOurs, "a page that is gone has left its place")
  }

  @Test("Loopback addresses are told from others")
  func loopback() {
    for host in [
      "127.0.0.1", "localhost", "::1", "127.9.9.9", "127.1", "0x7f000001", "LocalHost.", "[::1]",
      "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "2130706433",
    ] {
      #expect(Dashboard.isLoopback(host), "\(host)")
    }
    for host in [
      "0.0.0.0", "127.0.0.1.evil.example", "evil.example", "10.0.0.1", "127.evil", "::", "::2", "",
    ] {
      #expect(!Dashboard.isLoopback(host))
    }
  }
}
