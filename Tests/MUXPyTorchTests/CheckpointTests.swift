// SPDX-License-Identifier: Apache-2.0
import MUXCore
import MUXPyTorch
import MUXWeights
import Testing

@Suite("Which of a checkpoint's entries is taken")
struct CheckpointTests {
  private func read(
    _ entries: [(String, Pickled)], key: String? = nil, prefersAveraged: Bool = true
  ) throws -> PyTorchFile {
    try PyTorchFile.read(
      PickleBuilder.file(.dictionary(entries)), path: "f", key: key,
      prefersAveraged: prefersAveraged)
  }

  private func weights(_ value: Float, prefix: String = "") -> Pickled {
    .dictionary([("\(prefix)a.weight", .tensor([value])), ("\(prefix)b.bias", .tensor([value]))])
  }

  @Test("Averaged weights come first, under each of their names; or last, if that is asked for")
  func averaged() throws {
    for averaged in PyTorchFile.averagedKeys {
      for plain in ["state_dict", "model", "net"] {
        let entries = [
          (plain, weights(1)), ("optimizer", .dictionary([("lr", .integer(3))])),
          (averaged, weights(2)), ("epoch", .integer(7)),
        ]
        let file = try read(entries)
        #expect(file.key == averaged && file.archive["a.weight"]?.floats == [2])
        #expect(file.leftOut == [plain, "optimizer"])
        #expect(file.archive.metadata == ["epoch": "7"])
        let raw = try read(entries, prefersAveraged: false)
        #expect(raw.key == plain && raw.archive["a.weight"]?.floats == [1])
        #expect(raw.leftOut == ["optimizer", averaged])
        #expect(try read(entries, key: plain).key == plain)
      }
    }
  }

  @Test("The keys are tried in the order that is documented, whatever the file's")
  func order() throws {
    let all = PyTorchFile.averagedKeys + PyTorchFile.stateDictionaryKeys
    #expect(Set(all).count == all.count)
    for (index, first) in all.enumerated() where index + 1 < all.count {
      let entries = all[index...].reversed().map { ($0, weights($0 == first ? 1 : 0)) }
      let file = try read(entries)
      #expect(file.key == first && file.archive["b.bias"]?.floats == [1])
    }
  }

  @Test("The count of an averaged model goes, and so does its prefix; also where it stands alone")
  func averagedModel() throws {
    let averaged = Pickled.dictionary([
      ("n_averaged", .tensor([5])), ("module.a.weight", .tensor([1])),
      ("module.b.num_batches_tracked", .tensor([9])),
    ])
    for file in [
      try read([("model", weights(0)), ("model_ema", averaged)]),
      try PyTorchFile.read(PickleBuilder.file(averaged), path: "f"),
    ] {
      #expect(file.archive.names == ["a.weight", "b.num_batches_tracked"])
      #expect(file.ignored == ["n_averaged"])
    }
    let nested = try read([
      ("state_dict", .dictionary([("module.module.a.weight", .tensor([1]))]))
    ])
    #expect(nested.archive.names == ["a.weight"])
    // A layer of that name beside others is none of the wrapper's.
    let mixed = try read([("module.a", .tensor([1])), ("b", .tensor([1]))])
    #expect(mixed.archive.names == ["module.a", "b"])
  }

  @Test("Dictionaries without tensors are looked into; a key leads there with dots")
  func nested() throws {
    let entries: [(String, Pickled)] = [
      ("ema", .dictionary([("decay", .text("0.99")), ("module", weights(3))])),
      ("model", .dictionary([("state_dict", weights(4)), ("name", .text("x"))])),
    ]
    let file = try read(entries)
    #expect(file.key == "ema.module" && file.archive["a.weight"]?.floats == [3])
    #expect(file.leftOut == ["model"])
    for key in ["model.state_dict", "model"] {
      let other = try read(entries, key: key)
      #expect(other.key == "model.state_dict" && other.archive["a.weight"]?.floats == [4])
    }
    // A name that has a dot itself comes before the path.
    #expect(try read([("a.b", weights(5)), ("a", weights(6))], key: "a.b").archive.count == 2)
    #expect(throws: PyTorchFileError.self) { try read(entries, key: "model.other") }
    #expect(throws: PyTorchFileError.self) { try read(entries, key: "epoch") }
  }

  @Test("What has no weights at all says which keys there are")
  func nothing() throws {
    let error = #expect(throws: PyTorchFileError.self) {
      try read([("optimizer", weights(1)), ("epoch", .integer(1))])
    }
    #expect(error?.description.contains("optimizer, epoch") == true)
  }
}
