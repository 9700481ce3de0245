// swift-tools-version: 6.3
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// A package that uses the runtime alone: no libtorch, no JPEG library. In an own package, the
// dependency is the repository's address instead of the path.
let package = Package(
  name: "ClassifyImage",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "muxnet", path: "../..")],
  targets: [
    .executableTarget(
      name: "ClassifyImage",
      dependencies: [
        .product(name: "MUXRuntime", package: "muxnet"),
        .product(name: "MUXImages", package: "muxnet"),
      ])
  ]
)
