// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@Suite("Modules") struct ModuleTests {
  let manifest: Manifest
  let page: ArchitecturePage

  init() throws {
    manifest = try Manifest.current.get()
    page = try ArchitecturePage()
  }

  @Test("the table of Docs/ARCHITECTURE.md has every module of the manifest, with its arrows")
  func table() {
    let own = manifest.modules.values.filter { !$0.isTest && !$0.isSystemLibrary }
    #expect(Set(page.rows.map(\.name)) == Set(own.map(\.name)))
    for row in page.rows {
      #expect(row.arrows == manifest.arrows(of: row.name), "\(row.name) depends on")
      let module = manifest.modules[row.name]
      let systemLibraries = (module?.modules ?? []).filter {
        manifest.modules[$0]?.isSystemLibrary == true
      }
      #expect(
        row.outside == systemLibraries.union(module?.products ?? []), "\(row.name) from outside")
    }
  }

  @Test("a module depends only on what stands above it")
  func order() {
    var above: Set<String> = []
    for row in page.rows {
      #expect(row.arrows.isSubset(of: above), "\(row.name)")
      above.insert(row.name)
    }
  }

  @Test("the upper half does without libtorch, and only what is opened links it")
  func halves() {
    for row in page.rows where row.half != "both" {
      let isLower =
        row.name == "CTorch" || row.name == "MUXTorch"
        || manifest.closure(of: row.name).contains("CTorch")
      #expect(isLower == (row.half == "lower"), "\(row.name) is of the \(row.half) half")
      #expect(
        manifest.outside(of: row.name).contains("CLibTorch") == (row.name == "MUXTorch"),
        "\(row.name) and libtorch")
    }
    #expect(!manifest.closure(of: "muxnet").contains("MUXTorch"))
    #expect(page.rows.filter { $0.half == "both" }.map(\.name) == ["muxnet"])
  }

  @Test("an app with the runtime gets no package, no system library, no reader of other files")
  func apps() {
    #expect(manifest.outside(of: "MUXRuntime").isEmpty)
    #expect(
      manifest.closure(of: "MUXRuntime").isDisjoint(
        with: ["MUXNetworkFiles", "MUXPyTorch", "MUXVision", "MUXConfiguration"]))
  }

  @Test("a file imports only what its module declares, and a module declares only what is imported")
  func imports() throws {
    for module in manifest.modules.values where !module.isSystemLibrary {
      let declared = module.modules.union(module.products)
      var unused = declared
      let files = try SourceFile.files(of: module)
      for file in files {
        let undeclared = file.imports.subtracting(declared).subtracting(Self.platform)
        #expect(undeclared.isEmpty, "\(file.path) imports what \(module.name) does not declare")
        unused.subtract(file.imports)
      }
      // C and C++ include headers instead; a test may run a program without importing it; and the
      // base is there for all.
      guard !files.isEmpty else { continue }
      unused.subtract(["muxnet", "MUXCore"])
      #expect(unused.isEmpty, "\(module.name) declares what none of its files imports")
    }
  }

  @Test("a file asks with #if only for what its module is told")
  func conditions() throws {
    let known = manifest.modules.values.reduce(into: Set()) { $0.formUnion($1.conditions) }
    for module in manifest.modules.values where !module.isSystemLibrary {
      for file in try SourceFile.files(of: module) {
        let asked = file.conditions.intersection(known)
        #expect(asked.isSubset(of: module.conditions), "\(file.path)")
      }
    }
  }

  @Test("the page of every product has documentation that scripts/docs builds")
  func documentation() throws {
    let script = try String(
      contentsOf: Manifest.package.appending(path: "scripts/docs"), encoding: .utf8)
    let words = Set(script.split { !$0.isLetter && !$0.isNumber }.map(String.init))
    for product in manifest.products where product != "muxnet" && product != "MUXTorch" {
      #expect(words.contains(product), "scripts/docs does not build \(product)")
      let page = Manifest.package.appending(
        path: "Sources/\(product)/\(product).docc/\(product).md")
      #expect(
        FileManager.default.fileExists(atPath: page.path(percentEncoded: false)),
        "\(product) has no page")
    }
  }

  /// What comes with Swift and the system.
  private static let platform: Set<String> = [
    "CoreGraphics", "CoreVideo", "Darwin", "Dispatch", "Foundation", "FoundationEssentials",
    "FoundationXML", "Glibc", "Musl",
    "Synchronization", "Testing",
  ]
}
