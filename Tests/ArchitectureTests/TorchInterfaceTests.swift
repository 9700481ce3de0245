// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Interface to libtorch") struct TorchInterfaceTests {
  @Test("Every function of the interface has a stub, and nothing else has")
  func stubs() throws {
    let folder = Manifest.package.appending(path: "Sources/CTorch/include")
    var declared: Set<Substring> = []
    var listed: Set<Substring> = []
    for file in try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    where file.lastPathComponent.hasPrefix("ct_") {
      let text = try String(contentsOf: file, encoding: .utf8)
      if file.lastPathComponent == "ct_functions.h" {
        listed.formUnion(text.matches(of: /FUNCTION\((ct_\w+)\)/).map(\.1))
      } else {
        let code = text.replacing(/\/\/.*/, with: "")
        declared.formUnion(code.matches(of: /\b(ct_\w+)\(/).map(\.1))
      }
    }
    #expect(declared.count > 100)
    #expect(declared == listed)
  }
}
