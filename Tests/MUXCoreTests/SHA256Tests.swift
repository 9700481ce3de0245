// SPDX-License-Identifier: Apache-2.0
import MUXCore
import Testing

@Suite("SHA-256")
struct SHA256Tests {
  @Test(
    "The examples of the standard",
    arguments: [
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func examples(text: String, count: Int, hash: String) {
    let bytes = [UInt8](String(repeating: text, count: count).utf8)
    #expect(SHA256.hexadecimal(of: ByteRegion(bytes)) == hash)
  }

  @Test("Bytes may come in pieces of any length", arguments: [1, 3, 55, 56, 63, 64, 65, 128, 200])
  func pieces(length: Int) {
    let bytes = (0..<777).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var hash = SHA256()
    for start in stride(from: 0, to: bytes.count, by: length) {
      Array(bytes[start..<min(start + length, bytes.count)]).withUnsafeBytes { hash.add($0) }
    }
    #expect(hash.hexadecimal == SHA256.hexadecimal(of: ByteRegion(bytes)))
    // Asking changes nothing.
    #expect(hash.hexadecimal == hash.hexadecimal)
  }
}
