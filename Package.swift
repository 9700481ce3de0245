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
let c: [CSetting] = [.treatAllWarnings(as: .error)]
let cxx: [CXXSetting] = [.treatAllWarnings(as: .error)]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")

// MARK: Upper half

var products: [Product] = [
  .library(name: "MUXCore", targets: ["MUXCore"]),
  .library(name: "MUXImages", targets: ["MUXImages"]),
  .library(name: "MUXNetworks", targets: ["MUXNetworks"]),
  .library(name: "MUXVision", targets: ["MUXVision"]),
  .library(name: "MUXInterchange", targets: ["MUXInterchange"]),
  .library(name: "MUXONNX", targets: ["MUXONNX"]),
  .library(name: "MUXRuntime", targets: ["MUXRuntime"]),
  .library(name: "MUXReport", targets: ["MUXReport"]),
  .library(name: "MUXSearch", targets: ["MUXSearch"]),
  .library(name: "MUXEvaluation", targets: ["MUXEvaluation"]),
  .library(name: "MUXStudies", targets: ["MUXStudies"]),
  .library(name: "MUXDashboard", targets: ["MUXDashboard"]),
  .executable(name: "muxnet", targets: ["muxnet"]),
]

var targets: [Target] = [
  .target(name: "MUXCore", swiftSettings: swift),
  .target(name: "MUXImages", dependencies: ["MUXCore"], swiftSettings: swift),
  .target(name: "MUXNetworks", dependencies: ["MUXCore", "Yams"], swiftSettings: swift),
  .systemLibrary(
    name: "CTurboJPEG", pkgConfig: "libturbojpeg",
    providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
  .systemLibrary(
    name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
  .target(
    name: "MUXVision", dependencies: ["MUXCore", "MUXImages", "CTurboJPEG", "CPNG"],
    swiftSettings: swift),
  .target(name: "MUXInterchange", dependencies: ["MUXCore"], swiftSettings: swift),
  // Not part of MUXInterchange: MUXRuntime depends on that and stays free of dependencies.
  .target(
    name: "MUXONNX", dependencies: ["MUXCore", "MUXNetworks", "MUXInterchange", protobuf],
    exclude: ["Proto"], swiftSettings: swift),
  .target(
    name: "MUXConfiguration", dependencies: ["MUXCore", "Yams"], swiftSettings: swift),
  .systemLibrary(
    name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
  .target(
    name: "MUXSearch", dependencies: ["MUXCore", "MUXNetworks", "CZlib", "Yams"],
    resources: [
      .embedInCode("Benchmarks/targets.json"), .embedInCode("Spaces/digits.yaml"),
      .embedInCode("Spaces/imagenet.yaml"), .embedInCode("Spaces/small.yaml"),
    ], swiftSettings: swift),
  .target(
    name: "MUXReport", dependencies: ["MUXCore", "MUXNetworks", "MUXSearch", "MUXStudies"],
    resources: ["table1", "table2", "table3", "table4"].map {
      .embedInCode("Paper/Data/\($0).csv")
    }, swiftSettings: swift),
  .target(
    name: "MUXStudies",
    dependencies: ["MUXCore", "MUXSearch", "MUXNetworks", "MUXRuntime", grdb]
      + (withPostgres ? ["CPostgres"] : []),
    swiftSettings: swift),
  .target(
    name: "MUXDashboard",
    dependencies: [
      "MUXCore", "MUXStudies", "MUXSearch", "MUXReport", "MUXNetworks", hummingbird, lifecycle,
      logging,
    ],
    swiftSettings: swift),
  .target(name: "CMUXKernels", cSettings: c),
  .target(
    name: "MUXRuntime", dependencies: ["MUXCore", "CMUXKernels", "MUXNetworks", "MUXInterchange"],
    swiftSettings: swift),
  .target(
    name: "MUXEvaluation",
    dependencies: [
      "MUXCore", "MUXNetworks", "MUXImages", "MUXVision", "MUXInterchange", "MUXConfiguration",
      "MUXRuntime",
    ], swiftSettings: swift),
  .target(
    name: "MUXTestSupport", path: "Tests/MUXTestSupport", swiftSettings: swift),
  .testTarget(
    name: "MUXNetworksTests", dependencies: ["MUXNetworks", "MUXTestSupport"],
    exclude: ["Fixtures"], swiftSettings: swift),
  .testTarget(
    name: "MUXVisionTests", dependencies: ["MUXCore", "MUXImages", "MUXVision", "MUXTestSupport"],
    exclude: ["Fixtures"], swiftSettings: swift),
  .testTarget(
    name: "MUXInterchangeTests", dependencies: ["MUXCore", "MUXInterchange", "MUXTestSupport"],
    swiftSettings: swift),
  .testTarget(
    name: "MUXONNXTests",
    dependencies: [
      "MUXCore", "MUXONNX", "MUXNetworks", "MUXInterchange", "MUXRuntime", "MUXTestSupport",
      protobuf,
    ],
    swiftSettings: swift),
  .testTarget(
    name: "MUXConfigurationTests", dependencies: ["MUXConfiguration"], swiftSettings: swift),
  .testTarget(
    name: "MUXRuntimeTests",
    dependencies: ["MUXCore", "MUXRuntime", "MUXNetworks", "MUXInterchange", "MUXTestSupport"],
    swiftSettings: swift),
  .testTarget(
    name: "MUXSearchTests", dependencies: ["MUXCore", "MUXSearch"], swiftSettings: swift),
  .testTarget(
    name: "MUXEvaluationTests",
    dependencies: [
      "MUXCore", "MUXEvaluation", "MUXRuntime", "MUXNetworks", "MUXInterchange", "MUXVision",
    ],
    swiftSettings: swift),
  .testTarget(
    name: "MUXReportTests",
    dependencies: ["MUXCore", "MUXReport", "MUXNetworks", "MUXTestSupport"],
    swiftSettings: swift),
  .testTarget(
    name: "MUXStudiesTests",
    dependencies: [
      "MUXCore", "MUXStudies", "MUXSearch", "MUXNetworks", "MUXTestSupport", "muxnet", grdb,
    ],
    swiftSettings: swift),
  .testTarget(
    name: "MUXDashboardTests",
    dependencies: [
      "MUXCore", "MUXDashboard", "MUXStudies", "MUXSearch", "MUXReport", "MUXNetworks",
      "MUXTestSupport", hummingbird, logging,
    ], swiftSettings: swift),
  .testTarget(name: "MUXKernelsTests", dependencies: ["CMUXKernels"], swiftSettings: swift),
  .testTarget(
    name: "MUXNetCommandTests",
    dependencies: [
      "muxnet", "MUXCore", "MUXEvaluation", "MUXInterchange", "MUXNetworks", "MUXONNX",
      "MUXRuntime",
      "MUXImages", "MUXVision", "MUXTestSupport",
    ], swiftSettings: swift),
]

var commandDependencies: [Target.Dependency] = [
  "MUXCore", "MUXNetworks", "MUXImages", "MUXVision", "MUXInterchange", "MUXONNX",
  "MUXConfiguration",
  "MUXRuntime",
  "MUXEvaluation", "MUXSearch", "MUXStudies", "MUXReport", "MUXDashboard", argumentParser,
  logging,
]

if withPostgres {
  targets.append(
    .systemLibrary(
      name: "CPostgres", pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"]), .brew(["libpq"])]))
}

// MARK: Lower half

if withTorch {
  products += [
    .library(name: "MUXTensor", targets: ["MUXTensor"]),
    .library(name: "MUXTraining", targets: ["MUXTraining"]),
  ]
  targets += [
    .systemLibrary(name: "CLibTorch", pkgConfig: "\(libtorch)/libtorch.pc"),
    .target(
      name: "CTorch", dependencies: ["CLibTorch", "CMUXKernels"],
      cSettings: [.define("CT_RPATH", to: "\"\(libtorch)/lib\"")],
      cxxSettings: cxx),
    .target(name: "MUXTensor", dependencies: ["CTorch", "CMUXKernels"], swiftSettings: swift),
    .target(
      name: "MUXTraining",
      dependencies: [
        "MUXCore", "CTorch", "MUXTensor", "MUXNetworks", "MUXImages", "MUXVision", "MUXInterchange",
        "MUXConfiguration", "MUXEvaluation", "MUXRuntime", "Yams", logging,
      ], swiftSettings: swift),
    .target(
      name: "MUXSearchTraining",
      dependencies: [
        "MUXCore", "MUXStudies", "MUXSearch", "MUXTraining", "MUXEvaluation", "MUXNetworks",
        "MUXConfiguration",
      ], swiftSettings: swift),
    .testTarget(
      name: "MUXSearchTrainingTests",
      dependencies: [
        "MUXCore", "MUXSearchTraining", "MUXStudies", "MUXSearch", "MUXTraining", "MUXNetworks",
        "MUXConfiguration",
      ], swiftSettings: swift),
    .testTarget(
      name: "MUXTensorTests", dependencies: ["MUXTensor", "CTorch"], swiftSettings: swift),
    .testTarget(
      name: "MUXTrainingTests",
      dependencies: [
        "MUXCore", "MUXTraining", "MUXTensor", "MUXNetworks", "MUXImages", "MUXVision",
        "MUXInterchange",
        "MUXConfiguration", "MUXEvaluation", "MUXRuntime", "MUXSearch", "MUXTestSupport",
      ],
      exclude: ["Fixtures"], swiftSettings: swift),
  ]
  commandDependencies += ["MUXTensor", "MUXTraining", "MUXSearchTraining"]
}

targets.append(
  .executableTarget(name: "muxnet", dependencies: commandDependencies, swiftSettings: swift))

let package = Package(
  name: "muxnet",
  platforms: [.macOS(.v15), .iOS(.v18)],
  products: products,
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
  targets: targets,
  cxxLanguageStandard: .cxx20
)
