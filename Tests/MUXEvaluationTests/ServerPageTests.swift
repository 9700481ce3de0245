// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXRuntime
import MUXTasks
import MUXTestSupport
import MUXVision
import Testing

// The examples of Docs/SERVERS.md and of the runtime's page on servers, so that they compile; what the reader supplies is given here.

private func pool(upload: Data, image: Image, pixels: [Float]) async throws {
  let plan = try InferencePlan(model: "pets.muxnet")
  let pool = try EnginePool(plan)
  let guesses = try await pool.classify { try Image(data: upload) }
  let things = try await pool.detect(image)
  let vector = try await pool.features(of: image)
  let outputs = try await pool.run(pixels)
  _ = (guesses, things, vector, outputs)
  let shared = try EnginePool(
    plan, size: 1, threadsPerEngine: 4, batching: .init(images: 8, delay: .milliseconds(2)))
  await shared.shutDown()
}

private func images(file: URL, upload: Data, buffer: [UInt8], video: [UInt8]) throws {
  let photo = try Image(contentsOf: file)
  let posted = try Image(data: upload)
  let window = try Image(
    width: 640, height: 480, format: .bgra, bytesPerRow: 2560, bytes: buffer)
  let frame = try Image(
    width: 1280, height: 720, nv12: video, bytesPerRow: 1280, encoding: .init(.bt709))
  _ = (photo, posted, window, frame)
}

private func refusing(upload: Data) async throws {
  let pool = try EnginePool(
    InferencePlan(model: "pets.muxnet", loading: .copied), waitingLimit: 256)
  let guesses = try await pool.classify { try Image(data: upload) }
  _ = guesses
}

private func copied() throws {
  let safe = try InferencePlan(model: "pets.muxnet", loading: .copied)
  _ = safe
}

@Suite("Documentation of servers", .tags(.waits), .endsSometime)
struct ServerPageTests {
  @Test(
    "The examples in Swift are those that compile here",
    arguments: [("Docs/SERVERS.md", 4), ("Sources/MUXRuntime/MUXRuntime.docc/Servers.md", 1)])
  func examples(page: String, count: Int) throws {
    let examples = try PageExamples(of: page)
    #expect(examples.count == count)
    #expect(examples.missing.isEmpty, "\(examples.missing)")
  }
}
