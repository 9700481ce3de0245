// SPDX-License-Identifier: Apache-2.0
// swift-tools-version: 6.3
import PackageDescription

// A server around the runtime: images come in as JPEG, PNG or another format that this system decodes. In an
// own package, the dependency is the repository's address instead of the path.
let package = Package(
  name: "ClassifyServer",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "muxnet", path: "../..", traits: []),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1",
      traits: ["FullFoundation"]),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    .executableTarget(
      name: "ClassifyServer",
      dependencies: [
        .product(name: "MUXRuntime", package: "muxnet"),
        .product(name: "MUXImages", package: "muxnet"),
        .product(name: "MUXTasks", package: "muxnet"),
        .product(name: "MUXVision", package: "muxnet"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
      ])
  ]
)
