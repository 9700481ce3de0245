// SPDX-License-Identifier: Apache-2.0
// swift-tools-version: 6.3
import PackageDescription

// A package that uses the runtime and the tasks alone: no libtorch, no JPEG library. In an own package, the
// dependency is the repository's address instead of the path. Without traits, no other package is fetched.
let package = Package(
  name: "DetectObjects",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "muxnet", path: "../..", traits: [])],
  targets: [
    .executableTarget(
      name: "DetectObjects",
      dependencies: [
        .product(name: "MUXRuntime", package: "muxnet"),
        .product(name: "MUXImages", package: "muxnet"),
        .product(name: "MUXTasks", package: "muxnet"),
      ])
  ]
)
