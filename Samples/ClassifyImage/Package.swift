// SPDX-License-Identifier: Apache-2.0
// swift-tools-version: 6.3
import PackageDescription

// A package that uses the runtime alone: no libtorch, no JPEG library. In an own package, the
// dependency is the repository's address instead of the path. Without traits, no other package is fetched.
let package = Package(
  name: "ClassifyImage",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "muxnet", path: "../..", traits: [])],
  targets: [
    .executableTarget(
      name: "ClassifyImage",
      dependencies: [
        .product(name: "MUXRuntime", package: "muxnet"),
        .product(name: "MUXImages", package: "muxnet"),
      ])
  ]
)
