// SPDX-License-Identifier: Apache-2.0
// swift-tools-version: 6.3
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

/// Whether a library that is optional is used: where its `.pc` file or header is found.
/// `VARIABLE=1` takes it from elsewhere, `VARIABLE=0` never.
func finds(_ file: String, unless variable: String) -> Bool {
  switch Context.environment[variable] {
  case "0": return false
  case .some: return true
  case nil:
    let folders =
      (Context.environment["PKG_CONFIG_PATH"] ?? "").split(separator: ":").map(String.init)
      + [
        "/usr/lib/pkgconfig", "/usr/lib64/pkgconfig", "/usr/local/lib/pkgconfig",
        "/usr/lib/x86_64-linux-gnu/pkgconfig", "/usr/lib/aarch64-linux-gnu/pkgconfig",
        "/opt/homebrew/lib/pkgconfig", "/usr/include", "/usr/local/include",
      ]
    return folders.contains { FileManager.default.fileExists(atPath: "\($0)/\(file)") }
  }
}

/// Which optional libraries are used, by their modules. Without one, files of its image format are named as
/// not read.
let optional = [
  "CWebP": finds("libwebpdemux.pc", unless: "MUXNET_WEBP"),
  "CGIF": finds("gif_lib.h", unless: "MUXNET_GIF"),
  "CTIFF": finds("libtiff-4.pc", unless: "MUXNET_TIFF"),
]
let imageFormats = ["CWebP": "WEBP", "CGIF": "GIF", "CTIFF": "TIFF"]
  .filter { optional[$0.key] == true }.map(\.value).sorted()

/// The recipes that programs hold (`ShippedRecipes` has the same list).
let recipes = [
  "bccd_lite0", "bccd_ssdlite", "chestxray14_chexnet", "chestxray14_muxnet", "cifar10_ablation",
  "cifar10_scratch", "cifar10_search", "cifar10_supernet", "cifar_transfer", "digits",
  "digits_search",
  "digits_supernet", "imagenet_muxnet", "multilabel", "photos", "voc_lite0", "voc_ssd",
  "voc_ssdlite",
]

let swift: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]
let cxx: [CXXSetting] = [.treatAllWarnings(as: .error)]

/// Tests whose own loops take the time: references of kernels, pixels, tables. They are optimised. All
/// others spend it in the modules that they test, and are compiled in three fifths of the time without.
let computingTests: Set = [
  "MUXKernelsTests", "MUXONNXTests", "MUXRuntimeTests", "MUXSearchTests", "MUXTasksTests",
  "MUXTensorTests", "MUXVisionTests",
]

// MARK: The modules

/// A row of the table: a module, what it is, and what it stands on.
struct Module {
  /// Whether a module needs libtorch. The upper half is built without it, too.
  enum Half { case upper, lower }

  enum Kind {
    /// A product, which other packages may depend on.
    case library
    /// A library in C's terms, which programs in any language can load.
    case dynamicLibrary
    /// Code that only this package depends on.
    case hidden
    /// A library of the system: where pkg-config and package managers find it.
    case system(pkgConfig: String?, apt: [String] = [], brew: [String] = [])
    case program
    /// A program for those who work on this package; no product.
    case tool
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
    static let hummingbirdCore = product("HummingbirdCore", package: "hummingbird")
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
  /// Of C and C++.
  var defines: [String: String]
  /// Folders of headers beside the module's own, of C++.
  var searches: [String]
  /// Libraries to link that no pkg-config names.
  var links: [String]
  /// What its Swift asks about, such as `TORCH`. Only where it is asked, so that all other modules
  /// are compiled once for both halves.
  var asks: Set<String>

  init(
    _ name: String, _ half: Half, _ kind: Kind, uses: [Use] = [], embeds: [String] = [],
    excludes: [String] = [], defines: [String: String] = [:], searches: [String] = [],
    links: [String] = [], asks: Set<String> = []
  ) {
    self.name = name
    self.half = half
    self.kind = kind
    self.uses = uses
    self.embeds = embeds
    self.excludes = excludes
    self.defines = defines
    self.searches = searches
    self.links = links
    self.asks = asks
  }
}

// In the order of Docs/ARCHITECTURE.md: a module depends only on what stands above it. Dependencies are
// those that its files import; a test holds this table, the files and that page against each other.
let modules: [Module] = [
  Module("MUXCore", .upper, .library),
  Module("MUXImages", .upper, .library, uses: ["MUXCore"]),
  Module("MUXNetworks", .upper, .library, uses: ["MUXCore"]),
  Module("MUXNetworkFiles", .upper, .library, uses: ["MUXCore", "MUXNetworks", .yams]),
  Module("MUXTasks", .upper, .library, uses: ["MUXCore", "MUXImages", "MUXNetworks"]),
  Module("MUXWeights", .upper, .library, uses: ["MUXCore", "MUXNetworks"]),
  Module("CZlib", .upper, .system(pkgConfig: "zlib", apt: ["zlib1g-dev"], brew: ["zlib"])),
  Module("MUXPyTorch", .upper, .library, uses: ["MUXCore", "MUXWeights", "CZlib"]),
  Module("CMUXKernels", .upper, .hidden),
  Module(
    "MUXRuntime", .upper, .library,
    uses: ["MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", "CMUXKernels"]),
  // The header of the C interface, and what belongs to a thread of a caller.
  Module("CMUXRuntime", .upper, .hidden),
  Module(
    "MUXRuntimeC", .upper, .dynamicLibrary,
    uses: ["MUXImages", "MUXTasks", "MUXRuntime", "CMUXRuntime"]),
  Module(
    "CJPEG", .upper, .system(pkgConfig: "libjpeg", apt: ["libjpeg-dev"], brew: ["jpeg-turbo"])),
  Module("CPNG", .upper, .system(pkgConfig: "libpng", apt: ["libpng-dev"], brew: ["libpng"])),
  Module("CWebP", .upper, .system(pkgConfig: "libwebpdemux", apt: ["libwebp-dev"], brew: ["webp"])),
  // Not every version has a .pc file: who includes it says what to link.
  Module("CGIF", .upper, .system(pkgConfig: nil, apt: ["libgif-dev"], brew: ["giflib"])),
  Module("CTIFF", .upper, .system(pkgConfig: "libtiff-4", apt: ["libtiff-dev"], brew: ["libtiff"])),
  Module(
    "CImageCodecs", .upper, .hidden, uses: ["CJPEG", "CPNG", "CWebP", "CGIF", "CTIFF"],
    defines: Dictionary(uniqueKeysWithValues: imageFormats.map { ("MUX_\($0)", "1") }),
    links: imageFormats.contains("GIF") ? ["gif"] : []),
  Module(
    "MUXVision", .upper, .library, uses: ["MUXCore", "MUXImages", "CImageCodecs", "CPNG"],
    asks: ["GIF", "TIFF", "WEBP"]),
  Module(
    "MUXConfiguration", .upper, .hidden, uses: ["MUXCore", .yams],
    embeds: recipes.map { "Recipes/\($0).yaml" }),
  Module(
    "MUXEvaluation", .upper, .library,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", "MUXPyTorch", "MUXRuntime",
      "MUXVision", "MUXConfiguration", .yams,
    ], embeds: ["Pretrained/catalogue.yaml", "Pretrained/imagenet1k.csv"]),
  Module(
    "MUXSearch", .upper, .library,
    uses: ["MUXCore", "MUXNetworks", "MUXNetworkFiles", "CZlib", .yams],
    embeds: [
      "Benchmarks/targets.json", "Spaces/digits.yaml", "Spaces/imagenet.yaml", "Spaces/small.yaml",
    ]),
  Module("CPostgres", .upper, .hidden, links: ["dl"]),
  Module("CMUXProcess", .upper, .hidden),
  Module(
    "MUXStudies", .upper, .library,
    uses: [
      "MUXCore", "MUXNetworks", "MUXNetworkFiles", "MUXSearch", "CPostgres", "CMUXProcess", .grdb,
    ]),
  // For tests of stores, also of other packages: needs no test framework.
  Module("MUXStudyTesting", .upper, .library, uses: ["MUXSearch", "MUXStudies"]),
  Module("MUXCharts", .upper, .library),
  Module(
    "MUXRuns", .upper, .hidden,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXTasks", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXCharts",
    ]),
  Module(
    "MUXReport", .upper, .library,
    uses: ["MUXCore", "MUXNetworks", "MUXSearch", "MUXStudies", "MUXCharts"]),
  // What `muxnet reproduce` makes.
  Module(
    "MUXPaper", .upper, .hidden,
    uses: ["MUXCore", "MUXNetworks", "MUXTasks", "MUXCharts", "MUXReport"],
    embeds: ["Data/table1.csv", "Data/table2.csv", "Data/table3.csv", "Data/table4.csv"]),
  Module(
    "MUXDashboard", .upper, .library,
    uses: [
      "MUXCore", "MUXNetworks", "MUXSearch", "MUXStudies", "MUXCharts", "MUXReport", .hummingbird,
      .hummingbirdCore, .lifecycle, .logging,
    ]),
  // Not part of MUXWeights: MUXRuntime depends on that, and apps on MUXRuntime.
  Module(
    "MUXONNX", .upper, .library,
    uses: ["MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", .protobuf],
    excludes: ["Proto"]),

  Module("CLibTorch", .lower, .system(pkgConfig: "\(libtorch)/libtorch.pc")),
  // What Swift calls of libtorch, and the library behind it, which is opened at the first call.
  Module(
    "CTorch", .lower, .hidden, uses: ["CMUXKernels"],
    defines: ["CT_PACKAGE": "\"\(Context.packageDirectory)\""],
    links: ["dl"]),
  Module(
    "MUXTorch", .lower, .dynamicLibrary, uses: ["CMUXKernels", "CLibTorch"],
    defines: ["CT_RPATH": "\"\(libtorch)/lib\""], searches: ["gloo", "../CTorch/include"]),
  Module("MUXTensor", .lower, .library, uses: ["CMUXKernels", "CTorch"]),
  Module(
    "MUXTraining", .lower, .library,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXTasks", "MUXWeights",
      "MUXPyTorch", "MUXRuntime", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXTensor",
    ]),
  Module(
    "MUXSearchTraining", .lower, .hidden,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXTasks", "MUXWeights",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXStudies", "MUXTensor", "MUXTraining",
    ]),

  // What the program does before its libraries are initialised.
  Module("CMUXStart", .upper, .hidden),
  // Without the lower half, what it has of that is left out.
  Module(
    "muxnet", .upper, .program,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXTasks", "MUXWeights",
      "MUXPyTorch", "MUXRuntime", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "CMUXProcess", "MUXStudies", "MUXCharts",
      "MUXRuns",
      "MUXReport", "MUXPaper", "MUXDashboard", "MUXONNX", "CMUXStart", "MUXTensor", "MUXTraining",
      "MUXSearchTraining", .argumentParser,
    ], asks: ["TORCH"]),

  // Broken files for the readers (scripts/release-check, and a minute of it in .ci/run).
  Module(
    "fuzz", .upper, .tool,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXWeights", "MUXPyTorch",
      "MUXRuntime", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXStudies", .argumentParser,
    ]),

  // Plans for `scripts/check-arm`, which runs them on Arm, emulated, without Swift.
  Module(
    "plansnapshot", .upper, .tool,
    uses: ["MUXCore", "MUXNetworks", "MUXRuntime", "MUXWeights", .argumentParser]),

  // MARK: Tests

  Module("MUXTestSupport", .upper, .testSupport),
  Module("MUXCoreTests", .upper, .tests, uses: ["MUXCore", "MUXTestSupport"]),
  Module(
    "MUXVisionTests", .upper, .tests,
    uses: ["MUXCore", "MUXImages", "MUXVision", "MUXTestSupport"], excludes: ["Fixtures"]),
  Module(
    "MUXNetworksTests", .upper, .tests, uses: ["MUXNetworks", "MUXNetworkFiles", "MUXTestSupport"],
    excludes: ["Fixtures"]),
  Module(
    "MUXTasksTests", .upper, .tests,
    uses: ["MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", "MUXTestSupport"]),
  Module(
    "MUXWeightsTests", .upper, .tests,
    uses: ["MUXCore", "MUXNetworks", "MUXWeights", "MUXRuntime", "MUXTestSupport"]),
  Module(
    "MUXPyTorchTests", .upper, .tests,
    uses: ["MUXCore", "MUXWeights", "MUXPyTorch", "MUXTestSupport"]),
  // In C, so that it runs where there is no Swift, too (scripts/check-arm).
  Module("CKernelChecks", .upper, .testSupport, uses: ["CMUXKernels"]),
  Module(
    "MUXKernelsTests", .upper, .tests, uses: ["CMUXKernels", "CKernelChecks", "MUXTestSupport"]),
  Module(
    "MUXRuntimeTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", "MUXRuntime",
      "MUXTestSupport",
    ]),
  Module(
    "MUXRuntimeCTests", .upper, .tests,
    uses: [
      "MUXImages", "MUXNetworks", "MUXWeights", "MUXRuntime", "CMUXRuntime", "MUXRuntimeC",
      "MUXTestSupport",
    ]),
  Module("MUXConfigurationTests", .upper, .tests, uses: ["MUXConfiguration"]),
  Module(
    "MUXEvaluationTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", "MUXPyTorch", "MUXRuntime",
      "MUXVision", "MUXConfiguration", "MUXEvaluation", "MUXTestSupport",
    ]),
  Module(
    "MUXSearchTests", .upper, .tests,
    uses: ["MUXCore", "MUXNetworks", "MUXSearch", "MUXTestSupport"]),
  // A server of PostgreSQL, storages and studies.
  Module(
    "MUXStudyTestSupport", .upper, .testSupport,
    uses: ["MUXSearch", "MUXStudies", "MUXTestSupport", .grdb]),
  Module(
    "MUXStudiesTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXNetworks", "MUXNetworkFiles", "MUXSearch", "MUXStudies", "MUXStudyTesting",
      "MUXStudyTestSupport", "MUXTestSupport", .grdb,
    ]),
  Module("MUXStudyTestingTests", .upper, .tests, uses: ["MUXStudies", "MUXStudyTesting"]),
  Module("MUXChartsTests", .upper, .tests, uses: ["MUXCharts", "MUXTestSupport"]),
  Module(
    "MUXRunsTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXTasks", "MUXEvaluation",
      "MUXRuns", "MUXTestSupport",
    ]),
  Module(
    "MUXReportTests", .upper, .tests,
    uses: ["MUXCore", "MUXNetworks", "MUXNetworkFiles", "MUXReport", "MUXTestSupport"]),
  Module(
    "MUXPaperTests", .upper, .tests,
    uses: ["MUXCore", "MUXNetworks", "MUXReport", "MUXPaper", "MUXTestSupport"]),
  Module(
    "MUXDashboardTests", .upper, .tests,
    uses: [
      "MUXNetworks", "MUXSearch", "MUXStudies", "MUXDashboard", "MUXTestSupport", .hummingbird,
      .logging,
    ]),
  Module(
    "MUXONNXTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXWeights", "MUXPyTorch",
      "MUXRuntime", "MUXONNX",
      "MUXTestSupport",
    ]),
  Module(
    "MUXNetCommandTests", .upper, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXWeights", "MUXPyTorch",
      "MUXRuntime", "MUXVision",
      "MUXEvaluation", "MUXONNX", "MUXSearch", "MUXStudies", "CMUXStart", "muxnet",
      "MUXStudyTestSupport", "MUXTestSupport",
    ], asks: ["TORCH"]),
  Module("ArchitectureTests", .upper, .tests),
  // Several members of a group of processes, as threads.
  Module("MUXTensorTestSupport", .lower, .testSupport, uses: ["MUXTensor"]),
  Module(
    "MUXTensorTests", .lower, .tests,
    uses: ["MUXCore", "MUXTensor", "MUXTensorTestSupport", "MUXTestSupport"]),
  Module(
    "MUXTrainingTests", .lower, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXNetworkFiles", "MUXTasks", "MUXWeights",
      "MUXPyTorch", "MUXRuntime", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXTensor", "MUXTraining",
      "MUXTensorTestSupport", "MUXTestSupport",
    ], excludes: ["Fixtures"]),
  Module(
    "MUXSearchTrainingTests", .lower, .tests,
    uses: [
      "MUXCore", "MUXImages", "MUXNetworks", "MUXTasks", "MUXWeights", "MUXVision",
      "MUXConfiguration", "MUXEvaluation", "MUXSearch", "MUXStudies", "MUXTensor", "MUXTraining",
      "MUXSearchTraining", "MUXTestSupport",
    ]),
]

// MARK: What follows from the table

let possible = modules.filter {
  ($0.half == .upper || withTorch) && optional[$0.name] != false
}

/// The modules named, their tests, and what all those stand on.
func closure(of names: some Sequence<String>) -> Set<String> {
  var found: Set<String> = []
  var open = names.flatMap { [$0, "\($0)Tests"] }
  while let name = open.popLast() {
    guard let module = possible.first(where: { $0.name == name }), found.insert(name).inserted
    else { continue }
    for case .module(let dependency) in module.uses { open.append(dependency) }
    // Which is opened, not linked.
    if name == "CTorch" { open.append("MUXTorch") }
  }
  return found
}

/// `MUXNET_ONLY=MUXRuntime,MUXVision` leaves out what those do not need (scripts/test): an edit of one
/// file is then compiled and tested without its readers.
let only = Context.environment["MUXNET_ONLY"].map {
  closure(of: $0.split(separator: ",").map(String.init))
}

let selected = possible.filter { only?.contains($0.name) ?? true }
let selectedNames = Set(selected.map(\.name))

/// The trait with which modules may use other packages; it is on unless one says otherwise. A package that
/// takes the runtime alone says `traits: []` where it names this one: then SwiftPM fetches nothing else.
let otherPackages = "OtherPackages"

extension Module {
  /// A dependency on a module that is left out is left out with it.
  private var dependencies: [Target.Dependency] {
    uses.compactMap { use in
      switch use {
      case .module(let name): selectedNames.contains(name) ? .target(name: name) : nil
      case .product(let name, let package):
        .product(name: name, package: package, condition: .when(traits: [otherPackages]))
      }
    }
  }

  private var settings: [SwiftSetting] {
    let answers =
      (withTorch ? ["TORCH"] : []) + imageFormats
    return swift + answers.filter(asks.contains).map { .define($0) }
  }

  private var resources: [Resource] { embeds.map { .embedInCode($0) } }

  private var c: [CSetting] {
    [.treatAllWarnings(as: .error)]
      + defines.sorted { $0.key < $1.key }.map { .define($0.key, to: $0.value) }
  }

  var product: Product? {
    switch kind {
    // Programs of other packages get libtorch linked.
    case .library: .library(name: name, targets: half == .lower ? [name, "MUXTorch"] : [name])
    case .dynamicLibrary: .library(name: name, type: .dynamic, targets: [name])
    case .program: .executable(name: name, targets: [name])
    case .hidden, .system, .tool, .testSupport, .tests: nil
    }
  }

  var target: Target {
    switch kind {
    case .library, .dynamicLibrary, .hidden:
      .target(
        name: name, dependencies: dependencies, exclude: excludes, resources: resources,
        cSettings: c, cxxSettings: cxx + searches.map { .headerSearchPath($0) },
        swiftSettings: settings,
        linkerSettings: links.map { .linkedLibrary($0) })
    case .system(let pkgConfig, let apt, let brew):
      .systemLibrary(
        name: name, pkgConfig: pkgConfig,
        providers: apt.isEmpty ? nil : [.apt(apt), .brew(brew)])
    case .program, .tool:
      .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
    case .testSupport:
      .target(
        name: name, dependencies: dependencies, path: "Tests/\(name)", cSettings: c,
        swiftSettings: settings)
    case .tests:
      .testTarget(
        name: name, dependencies: dependencies, exclude: excludes,
        swiftSettings: settings
          + (computingTests.contains(name) ? [] : [.unsafeFlags(["-Onone"])]))
    }
  }
}

let package = Package(
  name: "muxnet",
  platforms: [.macOS(.v15), .iOS(.v18)],
  products: selected.compactMap(\.product),
  traits: [
    .trait(
      name: otherPackages,
      description:
        "Network files, evaluation, search, studies, ONNX, the dashboard and the program, which"
        + " need other packages. Without it: the runtime, images and their decoding, networks, tasks,"
        + " weights, charts."),
    .default(enabledTraits: [otherPackages]),
  ],
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
