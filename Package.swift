// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackageDescription

// The package has two halves (Docs/MAP.md). The upper half needs no libtorch; `MUXNET_TORCH=0`
// leaves the lower half out, so that the upper half builds and passes its tests on its own.
let withTorch = Context.environment["MUXNET_TORCH"] != "0"

/// The folder with libtorch's `include` and `lib` and our `libtorch.pc` (made by `scripts/setup`).
let libtorch =
  Context.environment["LIBTORCH"].flatMap { path in
    FileManager.default.fileExists(atPath: "\(path)/libtorch.pc") ? path : nil
  } ?? "\(Context.packageDirectory)/.libtorch"

/// PostgreSQL's client library is optional: studies are kept in SQLite without it. It is used where
/// its `libpq.pc` is found; `MUXNET_POSTGRES=1` takes it from elsewhere, `MUXNET_POSTGRES=0` never.
let withPostgres: Bool =
  switch Context.environment["MUXNET_POSTGRES"] {
  case "0": false
  case .some: true
  case nil:
    ((Context.environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
      + [
        "/usr/lib/pkgconfig", "/usr/lib64/pkgconfig", "/usr/local/lib/pkgconfig",
        "/usr/lib/x86_64-linux-gnu/pkgconfig", "/usr/lib/aarch64-linux-gnu/pkgconfig",
        "/opt/homebrew/opt/libpq/lib/pkgconfig", "/usr/local/opt/libpq/lib/pkgconfig",
      ]).contains { FileManager.default.fileExists(atPath: "\($0)/libpq.pc") }
  }

let swift: [SwiftSetting] =
  [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
  ] + (withTorch ? [.define("TORCH")] : []) + (withPostgres ? [.define("POSTGRES")] : [])
let cxx: [CXXSetting] = [.treatAllWarnings(as: .error)]

// MARK: The modules

/// A row of the table: a module, what it is, and what it stands on.
struct Module {
  /// Whether a module needs libtorch. The upper half is built without it, too.
  enum Half { case upper, lower }

  enum Kind {
    /// A product, which other packages may depend on.
    case library
    /// Code that only this package depends on.
    case hidden
    /// A library of the system: where pkg-config and package managers find it.
    case system(pkgConfig: String, apt: [String] = [], brew: [String] = [])
    case program
    case testSupport
    case tests
  }

  /// What a module depends on: another row, or a product of a package.
  enum Use: ExpressibleByStringLiteral {
    case module(String)
    case product(String, package: String)

    init(stringLiteral name: String) { self = .module(name) }

    static let argumentParser = product("ArgumentParser", package: "swift-argument-parser")
    static let grdb = product("GRDB", package: "GRDB.swift")
    static let hummingbird = product("Hummingbird", package: "hummingbird")
    static let lifecycle = product("ServiceLifecycle", package: "swift-service-lifecycle")
    static let logging = product("Logging", package: "swift-log")
    static let protobuf = product("SwiftProtobuf", package: "swift-protobuf")
    static let yams = product("Yams", package: "Yams")
  }

  var name: String
  var half: Half
  var kind: Kind
  var uses: [Use]
  var embeds: [String]
  var excludes: [String]
  var defines: [String: String]

  init(
    _ name: String, _ half: Half, _ kind: Kind, uses: [Use] = [], embeds: [String] = [],
    excludes: [String] = [], defines: [String: String] = [:]
  ) {
    self.name = name
    self.half = half
    self.kind = kind
    self.uses = uses
    self.embeds = embeds
    self.excludes = excludes
    self.defines = defines
  }
}

// In the order of Docs/ARCHITECTURE.md: a module depends only on what stands above it. Dependencies are
// those that its files import; a test holds this table, the files and that page against each other.
let modules: [Module] = [
  Module("MUXCore", .upper, .library),
  Module("MUXImages", .upper, .library, uses: ["MUXCore"]),
  Module("MUXNetworks", .upper, .library, uses: ["MUXCore", .yams]),
  Module("MUXInterchange", .upper, .library, uses: ["MUXCore"]),
  Module("CMUXKernels", .upper, .hidden),
  Module(
    "MUXRuntime", .upper, .library,
    uses: ["MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "CMUXKernels"]),
  Module(
    "CTurboJPEG", .upper,
    .system(pkgConfig: "libturbojpeg", apt: ["libturbojpeg0-dev"], brew: ["jpeg-turbo"])),
  Module("CPNG", .upper, .system(pkgConfig: "libpng", apt: ["libpng-dev"], brew: ["libpng"])),
  Module("MUXVision", .upper, .library, uses: ["MUXCore", "MUXImages", "CTurboJPEG", "CPNG"]),
  Module("MUXConfiguration", .upper, .hidden, uses: ["MUXCore", .yams]),
  Module(
    "MUXEvaluation", .upper, .library,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXVision",
      "MUXConfiguration",
    ]),
  Module("CZlib", .upper, .system(pkgConfig: "zlib", apt: ["zlib1g-dev"], brew: ["zlib"])),
  Module(
    "MUXSearch", .upper, .library, uses: ["MUXCore", "MUXNetworks", "CZlib", .yams],
    embeds: [
      "Benchmarks/targets.json", "Spaces/digits.yaml", "Spaces/imagenet.yaml", "Spaces/small.yaml",
    ]),
  Module("CPostgres", .upper, .system(pkgConfig: "libpq", apt: ["libpq-dev"], brew: ["libpq"])),
  Module(
    "MUXStudies", .upper, .library,
    uses: ["MUXCore", "MUXNetworks", "MUXRuntime", "MUXSearch", "CPostgres", .grdb]),
  Module(
    "MUXReport", .upper, .library, uses: ["MUXCore", "MUXNetworks", "MUXSearch", "MUXStudies"],
    embeds: [
      "Paper/Data/table1.csv", "Paper/Data/table2.csv", "Paper/Data/table3.csv",
      "Paper/Data/table4.csv",
    ]),
  Module(
    "MUXDashboard", .upper, .library,
    uses: [
      "MUXCore", "MUXNetworks", "MUXSearch", "MUXStudies", "MUXReport", .hummingbird, .lifecycle,
      .logging,
    ]),
  // Not part of MUXInterchange: MUXRuntime depends on that, and apps on MUXRuntime.
  Module(
    "MUXONNX", .upper, .library,
    uses: ["MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", .protobuf],
    excludes: ["Proto"]),

  Module("CLibTorch", .lower, .system(pkgConfig: "\(libtorch)/libtorch.pc")),
  Module(
    "CTorch", .lower, .hidden, uses: ["CMUXKernels", "CLibTorch"],
    defines: ["CT_RPATH": "\"\(libtorch)/lib\""]),
  Module("MUXTensor", .lower, .library, uses: ["CTorch"]),
  Module(
    "MUXTraining", .lower, .library,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXVision", "MUXConfiguration",
      "MUXEvaluation", "MUXTensor",
    ]),
  Module(
    "MUXSearchTraining", .lower, .hidden,
    uses: [
      "MUXCore", "MUXNetworks", "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXStudies",
      "MUXTraining",
    ]),

  // Without the lower half, what it has of that is left out.
  Module(
    "muxnet", .upper, .program,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXStudies", "MUXReport", "MUXDashboard",
      "MUXONNX", "MUXTensor", "MUXTraining", "MUXSearchTraining", .argumentParser,
    ]),

  // MARK: Tests

  Module("MUXTestSupport", .upper, .testSupport),
  Module(
    "MUXVisionTests", .upper, .tests,
    uses: ["MUXCore", "MUXImages", "MUXVision", "MUXTestSupport"], excludes: ["Fixtures"]),
  Module(
    "MUXNetworksTests", .upper, .tests, uses: ["MUXNetworks", "MUXTestSupport"],
    excludes: ["Fixtures"]),
  Module(
    "MUXInterchangeTests", .upper, .tests, uses: ["MUXCore", "MUXInterchange", "MUXTestSupport"]),
  Module("MUXKernelsTests", .upper, .tests, uses: ["CMUXKernels"]),
  Module(
    "MUXRuntimeTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXTestSupport",
    ]),
  Module("MUXConfigurationTests", .upper, .tests, uses: ["MUXConfiguration"]),
  Module(
    "MUXEvaluationTests", .upper, .tests,
    uses: [
      "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXVision", "MUXEvaluation",
    ]),
  Module("MUXSearchTests", .upper, .tests, uses: ["MUXCore", "MUXNetworks", "MUXSearch"]),
  Module(
    "MUXStudiesTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXSearch", "MUXStudies", "muxnet", "MUXTestSupport", .grdb,
    ]),
  Module("MUXReportTests", .upper, .tests, uses: ["MUXNetworks", "MUXReport", "MUXTestSupport"]),
  Module(
    "MUXDashboardTests", .upper, .tests,
    uses: [
      "MUXNetworks", "MUXSearch", "MUXStudies", "MUXDashboard", "MUXTestSupport", .hummingbird,
      .logging,
    ]),
  Module(
    "MUXONNXTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXONNX",
      "MUXTestSupport",
    ]),
  Module(
    "MUXNetCommandTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXVision",
      "MUXEvaluation", "MUXONNX", "muxnet", "MUXTestSupport",
    ]),
  Module("ArchitectureTests", .upper, .tests),
  Module("MUXTensorTests", .lower, .tests, uses: ["MUXTensor"]),
  Module(
    "MUXTrainingTests", .lower, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXTensor", "MUXTraining",
      "MUXTestSupport",
    ], excludes: ["Fixtures"]),
  Module(
    "MUXSearchTrainingTests", .lower, .tests,
    uses: ["MUXConfiguration", "MUXSearch", "MUXStudies", "MUXSearchTraining"]),
]

// MARK: What follows from the table

let selected = modules.filter {
  ($0.half == .upper || withTorch) && ($0.name != "CPostgres" || withPostgres)
}
let selectedNames = Set(selected.map(\.name))

extension Module {
  /// A dependency on a module that is left out is left out with it.
  private var dependencies: [Target.Dependency] {
    uses.compactMap { use in
      switch use {
      case .module(let name): selectedNames.contains(name) ? .target(name: name) : nil
      case .product(let name, let package): .product(name: name, package: package)
      }
    }
  }

  private var resources: [Resource] { embeds.map { .embedInCode($0) } }

  private var c: [CSetting] {
    [.treatAllWarnings(as: .error)]
      + defines.sorted { $0.key < $1.key }.map { .define($0.key, to: $0.value) }
  }

  var product: Product? {
    switch kind {
    case .library: .library(name: name, targets: [name])
    case .program: .executable(name: name, targets: [name])
    case .hidden, .system, .testSupport, .tests: nil
    }
  }

  var target: Target {
    switch kind {
    case .library, .hidden:
      .target(
        name: name, dependencies: dependencies, exclude: excludes, resources: resources,
        cSettings: c, cxxSettings: cxx, swiftSettings: swift)
    case .system(let pkgConfig, let apt, let brew):
      .systemLibrary(
        name: name, pkgConfig: pkgConfig,
        providers: apt.isEmpty ? nil : [.apt(apt), .brew(brew)])
    case .program:
      .executableTarget(name: name, dependencies: dependencies, swiftSettings: swift)
    case .testSupport:
      .target(
        name: name, dependencies: dependencies, path: "Tests/\(name)", swiftSettings: swift)
    case .tests:
      .testTarget(
        name: name, dependencies: dependencies, exclude: excludes, swiftSettings: swift)
    }
  }
}

let package = Package(
  name: "muxnet",
  platforms: [.macOS(.v15), .iOS(.v18)],
  products: selected.compactMap(\.product),
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    // Without its reader of configuration files, which is as large as itself.
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1",
      traits: ["FullFoundation"]),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.0.0"),
  ],
  targets: selected.map(\.target),
  cxxLanguageStandard: .cxx20
)
