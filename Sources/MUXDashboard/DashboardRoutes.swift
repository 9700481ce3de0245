// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import MUXReport
import MUXStudies
import ServiceLifecycle
import Synchronization

/// What is answered to which path.
struct DashboardRoutes: Sendable {
  let model: DashboardModel
  private let streams = StreamPlaces()

  init(model: DashboardModel) { self.model = model }

  func add(to router: Router<some RequestContext>) {
    router.get("/") { _, _ in
      let (snapshots, damage) = try await model.overview()
      return Self.html(
        DashboardPages.studies(snapshots, damage: damage.map { "\($0)" }, storage: model.address))
    }
    router.get("/dashboard.js") { _, _ in
      Self.text(LiveScript.text, type: "text/javascript; charset=utf-8")
    }
    router.get("/events") { _, _ in
      events {
        try await model.snapshots().map { "\($0.view.study.name) \($0.revision)" }
          .joined(separator: ",").revisionText
      }
    }
    router.get("/studies/:study") { _, context in
      let snapshot = try await model.snapshot(of: try Self.study(context))
      return Self.html(try await model.page("study", of: snapshot) { DashboardPages.study($0) })
    }
    router.get("/studies/:study/trials") { request, context in
      try await trials(request, context)
    }
    router.get("/studies/:study/trials.csv") { _, context in try await csv(context) }
    router.get("/studies/:study/trials/:trial") { _, context in
      let (snapshot, trial) = try await model.trial(
        try Self.number(context), of: try Self.study(context))
      return Self.html(DashboardPages.trial(snapshot, trial))
    }
    router.get("/studies/:study/compare") { request, context in
      try await compare(request, context)
    }
    router.get("/studies/:study/trials/:trial/network.yaml") { _, context in
      try await network(context)
    }
    router.get("/studies/:study/texts/:trial") { _, context in
      let (snapshot, trial) = try await model.trial(
        try Self.number(context), of: try Self.study(context))
      return Self.text(snapshot.view.text(trial))
    }
    router.get("/studies/:study/events") { _, context in
      let name = try Self.study(context)
      // Unknown studies are an error now, not a stream without events.
      _ = try await model.snapshot(of: name)
      return events { try await model.snapshot(of: name).revision }
    }
  }

  private func trials(_ request: Request, _ context: some RequestContext) async throws -> Response {
    let snapshot = try await model.snapshot(of: try Self.study(context))
    let query = request.uri.queryParameters
    let selection = try Self.selection(request, of: snapshot)
    let list = TrialList(snapshot)
    let chosen = selection.chosen(list, of: snapshot.view.study.definition)
    let last = DashboardPages.pageCount(chosen.count)
    var page = 1
    if let text = query["page"] {
      guard let number = Int(text), (1...last).contains(number) else {
        throw HTTPError(.badRequest, message: "'\(text)' is not a page; there are 1 to \(last)")
      }
      page = number
    }
    let number = page
    return Self.html(
      try await model.page("trials \(number) \(selection.query())", of: snapshot) {
        let shown = chosen.dropFirst((number - 1) * DashboardPages.rows).prefix(DashboardPages.rows)
        return DashboardPages.trials(
          $0, shown.map { list[$0] }, of: chosen.count, page: number, selection)
      })
  }

  private static func selection(
    _ request: Request, of snapshot: DashboardModel.Snapshot
  ) throws -> TrialSelection {
    var query: [String: String] = [:]
    for name in ["state", "where", "within", "sort", "order"] {
      query[name] = request.uri.queryParameters[name[...]].map(String.init)
    }
    do {
      return try TrialSelection(query, of: snapshot.view.study.definition)
    } catch let error as TrialSelection.Mistake {
      throw HTTPError(.badRequest, message: error.reason)
    }
  }

  /// Several trials side by side.
  private func compare(_ request: Request, _ context: some RequestContext) async throws -> Response
  {
    let name = try Self.study(context)
    let texts = request.uri.queryParameters.getAll("trial")
    guard (1...DashboardPages.mostCompared).contains(texts.count) else {
      throw HTTPError(
        .badRequest,
        message: "choose 1 to \(DashboardPages.mostCompared) trials, not \(texts.count)")
    }
    var trials: [Trial] = []
    for text in texts {
      guard let number = Int(text), number >= 0 else {
        throw HTTPError(.badRequest, message: "'\(text)' is not the number of a trial")
      }
      if !trials.contains(where: { $0.number == number }) {
        trials.append(try await model.trial(number, of: name).1)
      }
    }
    return Self.html(DashboardPages.compare(try await model.snapshot(of: name), trials))
  }

  /// The network of a trial as a file that every command takes.
  private func network(_ context: some RequestContext) async throws -> Response {
    let (snapshot, trial) = try await model.trial(
      try Self.number(context), of: try Self.study(context))
    guard snapshot.view.study.definition.networkDomain != nil else {
      throw HTTPError(.notFound, message: "a table has no network files")
    }
    let text = try NetworkExport.yaml(trial, called: "\(trial.number)", of: snapshot.view.study)
    var response = Self.text(text, type: "text/yaml; charset=utf-8")
    response.headers[.contentDisposition] = "attachment; filename=\"trial-\(trial.number).yaml\""
    return response
  }

  /// All trials as a file; a few at a time, since block strings of many networks take a while.
  private func csv(_ context: some RequestContext) async throws -> Response {
    let snapshot = try await model.snapshot(of: try Self.study(context))
    let recorder = try StudyRecorder(snapshot.view.study.definition)
    let trials = (snapshot.finished + snapshot.active).sorted { $0.number < $1.number }
    let name = snapshot.view.study.name.map { character in
      character.isASCII && (character.isLetter || character.isNumber || "-_".contains(character))
        ? character : "_"
    }
    return Response(
      status: .ok,
      headers: [
        .contentType: "text/csv; charset=utf-8",
        .contentDisposition: "attachment; filename=\"\(String(name)).csv\"",
      ],
      body: .init { writer in
        try await writer.write(ByteBuffer(string: recorder.csv([])))
        for start in stride(from: 0, to: trials.count, by: 200) {
          let part = Array(trials[start..<min(start + 200, trials.count)])
          let lines = part.map(recorder.csvLine).joined()
          try await writer.write(ByteBuffer(string: lines))
        }
        try await writer.finish(nil)
      })
  }

  // MARK: Events

  /// A stream of server-sent events: one `change` now, and one whenever the revision is another. It
  /// ends with the server, where the study is gone, or where too many others came later; browsers then
  /// connect again.
  private func events(
    _ revision: @escaping @Sendable () async throws -> String
  ) -> Response {
    let place = streams.enter()
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream"],
      body: .init { writer in
        defer { place.leave() }
        var last = ""
        var silence = 0
        try await writer.write(ByteBuffer(string: "retry: 3000\n\n"))
        while !Task.isShuttingDownGracefully, !Task.isCancelled, place.isOurs {
          guard let now = try? await revision() else { break }
          silence += 1
          if now != last {
            try await writer.write(ByteBuffer(string: "event: change\ndata: \(now)\n\n"))
            (last, silence) = (now, 0)
          } else if silence >= 4 {
            // Only writing shows that nobody listens any more.
            try await writer.write(ByteBuffer(string: ": still here\n\n"))
            silence = 0
          }
          try await Task.sleep(for: .milliseconds(500))
        }
        try await writer.finish(nil)
      })
  }

  // MARK: Parts of requests and answers

  private static func study(_ context: some RequestContext) throws -> String {
    guard let name = try context.parameters.require("study").removingPercentEncoding else {
      throw HTTPError(.badRequest, message: "the study's name is not in UTF-8")
    }
    return name
  }

  private static func number(_ context: some RequestContext) throws -> Int {
    let text = try context.parameters.require("trial")
    guard let number = Int(text), number >= 0 else {
      throw HTTPError(.badRequest, message: "'\(text)' is not the number of a trial")
    }
    return number
  }

  private static func html(_ page: String) -> Response {
    text(page, type: "text/html; charset=utf-8")
  }

  private static func text(
    _ text: String, type: String = "text/plain; charset=utf-8"
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: type],
      body: .init(byteBuffer: ByteBuffer(string: text)))
  }
}

/// The pages that listen for events: a bound on what they can cost. Where there are too many, the
/// oldest has to go, and comes back by itself if somebody still looks at it.
package final class StreamPlaces: Sendable {
  private let taken = Mutex<[ObjectIdentifier]>([])
  package static let most = 100

  package init() {}

  /// A place, given back at the latest when nobody holds it any more.
  package final class Place: Sendable {
    private let owner: StreamPlaces

    fileprivate init(_ owner: StreamPlaces) { self.owner = owner }
    deinit { leave() }

    /// Whether no later page has taken it.
    package var isOurs: Bool { owner.taken.withLock { $0.contains(ObjectIdentifier(self)) } }

    package func leave() { owner.taken.withLock { $0.removeAll { $0 == ObjectIdentifier(self) } } }
  }

  package func enter() -> Place {
    let place = Place(self)
    taken.withLock { taken in
      if taken.count >= Self.most { taken.removeFirst() }
      taken.append(ObjectIdentifier(place))
    }
    return place
  }
}

extension String {
  /// Without line breaks, which would end an event.
  fileprivate var revisionText: String {
    split(whereSeparator: \.isNewline).joined(separator: " ")
  }
}
