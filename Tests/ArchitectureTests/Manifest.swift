// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The package as its manifest describes it, with everything that is optional.
struct Manifest {
  struct Module {
    var name: String
    var isTest: Bool
    var isSystemLibrary: Bool
    /// The modules of this package that it names.
    var modules: Set<String>
    /// Products of other packages that it names.
    var products: Set<String>
    /// What its Swift may ask about with `#if`.
    var conditions: Set<String>
    /// The folder of its files, from the package's.
    var folder: String
  }

  let modules: [String: Module]
  /// The modules that are products of their own.
  let products: Set<String>

  /// The folder of the package.
  static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Read once, since SwiftPM takes a second to evaluate it.
  static let current = Result { try Manifest() }

  private init() throws {
    let scratch = FileManager.default.temporaryDirectory.appending(
      path: "muxnet-manifest-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // Another scratch folder, since `swift test` may hold the lock of the usual one.
    process.arguments = [
      "swift", "package", "--scratch-path", scratch.path(percentEncoded: false), "--package-path",
      Self.package.path(percentEncoded: false), "dump-package",
    ]
    // All modules, also where scripts/test compiles these tests alone.
    process.environment = ProcessInfo.processInfo.environment.filter { $0.key != "MUXNET_ONLY" }
      .merging(
        [
          "MUXNET_TORCH": "1", "MUXNET_WEBP": "1", "MUXNET_GIF": "1", "MUXNET_TIFF": "1",
        ]) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let dump = try JSONDecoder().decode(Dump.self, from: data)
    products = Set(dump.products.map(\.name))
    let names = Set(dump.targets.map(\.name))
    modules = Dictionary(
      uniqueKeysWithValues: dump.targets.map { target in
        let used = target.dependencies.map(\.name)
        let isSystemLibrary = target.type == "system"
        let isTest = target.type == "test" || target.path?.hasPrefix("Tests/") == true
        return (
          target.name,
          Module(
            name: target.name, isTest: isTest, isSystemLibrary: isSystemLibrary,
            modules: Set(used.filter(names.contains)),
            products: Set(used.filter { !names.contains($0) }),
            conditions: Set(target.settings.compactMap(\.kind.define?._0)),
            folder: target.path ?? "\(isTest ? "Tests" : "Sources")/\(target.name)")
        )
      })
  }

  /// Everything that a module needs, itself left out.
  func closure(of name: String) -> Set<String> {
    var found: Set<String> = []
    var open = Array(modules[name]?.modules ?? [])
    while let next = open.popLast() {
      if found.insert(next).inserted { open += modules[next]?.modules ?? [] }
    }
    return found
  }

  /// The products of other packages and the libraries of the system that a module needs.
  func outside(of name: String) -> Set<String> {
    let all = closure(of: name).union([name])
    return all.reduce(into: []) { result, module in
      result.formUnion(modules[module]?.products ?? [])
      if modules[module]?.isSystemLibrary == true { result.insert(module) }
    }
  }

  /// The modules that a module names and that it does not get through another one.
  func arrows(of name: String) -> Set<String> {
    let named = (modules[name]?.modules ?? []).filter { modules[$0]?.isSystemLibrary == false }
    return named.filter { one in !named.contains { $0 != one && closure(of: $0).contains(one) } }
  }
}

/// What `swift package dump-package` prints, as far as it is read here.
private struct Dump: Decodable {
  struct Product: Decodable { var name: String }

  struct Target: Decodable {
    var name: String
    var type: String
    var path: String?
    var dependencies: [Dependency]
    var settings: [Setting]
  }

  struct Setting: Decodable {
    struct Kind: Decodable { var define: Define? }
    struct Define: Decodable { var _0: String }
    var kind: Kind
  }

  /// `{"target": [NAME, …]}`, `{"byName": [NAME, …]}` or `{"product": [NAME, PACKAGE, …]}`.
  struct Dependency: Decodable {
    var name: String

    init(from decoder: any Decoder) throws {
      let values = try decoder.singleValueContainer().decode([String: [Part]].self)
      guard let name = values.first?.value.first?.text else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "a dependency has a name"))
      }
      self.name = name
    }

    /// A text, or something else that does not matter here.
    struct Part: Decodable {
      var text: String?
      init(from decoder: any Decoder) throws {
        text = try? decoder.singleValueContainer().decode(String.self)
      }
    }
  }

  var products: [Product]
  var targets: [Target]
}
