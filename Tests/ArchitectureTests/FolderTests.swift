// SPDX-License-Identifier: Apache-2.0
import Testing

@Suite("Folders") struct FolderTests {
  @Test("where the order of a module's folders is declared, each uses only those before it")
  func order() throws {
    let manifest = try Manifest.current.get()
    for (name, order) in try ArchitecturePage().folders {
      let module = try #require(manifest.modules[name], "\(name) is a module")
      let files = try SourceFile.files(of: module)
      #expect(
        Set(files.map(\.folder)).subtracting([""]) == Set(order), "the folders of \(name)")
      // Files beside the folders use all of them.
      let places = order + [""]
      var owners: [String: Set<String>] = [:]
      for file in files {
        for name in file.declarations { owners[name, default: []].insert(file.folder) }
      }
      for file in files {
        guard let place = places.firstIndex(of: file.folder) else { continue }
        for word in file.words {
          // A name that two folders declare tells nothing.
          guard let folders = owners[word], folders.count == 1, let folder = folders.first,
            let used = places.firstIndex(of: folder)
          else { continue }
          #expect(used <= place, "\(file.path) uses \(word) of \(folder)")
        }
      }
    }
  }

  @Test("a file is read without its comments and texts")
  func reading() {
    let file = SourceFile(
      path: "A.swift", folder: "",
      text: """
        @testable public import One  // import Two
        import struct Three.Part
        // import Four
        let text = "import Five \\" // import" // struct Six
        /// struct Seven
        public final class Eight: Nine { func ten() {} }
        private struct Eleven {}
        """)
    #expect(file.imports == ["One", "Three"])
    #expect(file.declarations == ["Eight"])
    #expect(file.words.isSuperset(of: ["Nine", "ten"]))
    #expect(file.words.isDisjoint(with: ["Two", "Four", "Five", "Six", "Seven"]))
  }
}
