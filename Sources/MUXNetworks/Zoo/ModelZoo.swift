// SPDX-License-Identifier: Apache-2.0

/// The networks that the package knows by name.
public enum ModelZoo {
  /// One network of the zoo.
  public struct Entry: Sendable {
    /// The name, in timm's style.
    public let name: String
    /// What it is, in one line.
    public let summary: String
    let make: @Sendable () throws(NetworkError) -> Architecture

    /// The architecture.
    public func architecture() throws(NetworkError) -> Architecture { try make() }
  }

  /// All networks, sorted by name.
  public static let entries: [Entry] = (muxnets + mobileNets).sorted { $0.name < $1.name }

  /// The networks whose names match a pattern with `*` and `?`, or contain it if it has neither.
  public static func entries(matching pattern: String) -> [Entry] {
    let isGlob = pattern.contains { $0 == "*" || $0 == "?" }
    let glob = Array(isGlob ? pattern : "*\(pattern)*")
    return entries.filter { matches(Array($0.name)[...], glob[...]) }
  }

  /// The network of a name.
  ///
  /// - Throws: ``NetworkError/unknownModel(name:nearest:)`` with the nearest names.
  public static func architecture(named name: String) throws(NetworkError) -> Architecture {
    if let entry = entries.first(where: { $0.name == name }) { return try entry.architecture() }
    throw .unknownModel(
      name: name, nearest: NameDistance.nearest(to: name, among: entries.map(\.name)))
  }

  private static let muxnets: [Entry] = [
    Entry(
      name: "muxnet_xs",
      summary: "MUXNet-xs at the paper's size (this project's definition)", make: MUXNet.xs),
    Entry(
      name: "muxnet_s",
      summary: "MUXNet-s at the paper's size (this project's definition)", make: MUXNet.s),
    Entry(name: "muxnet_m", summary: "MUXNet-m as the authors released it", make: MUXNet.m),
    Entry(name: "muxnet_l", summary: "MUXNet-l as the authors released it", make: MUXNet.l),
    Entry(
      name: "muxnet_cifar",
      summary: "a MUXNet for 32×32 pixels and 10 classes (this project's own)", make: MUXNet.cifar),
    Entry(
      name: "muxnet_digits",
      summary: "a MUXNet for 16×16 grey pixels and 10 classes (this project's own)",
      make: MUXNet.digits),
  ]

  private static let mobileNets: [Entry] =
    [0.1, 0.25, 0.35, 0.5, 0.75, 1, 1.4].flatMap { width in
      [false, true].map { multiplexed in
        mobileNet(MobileNetV2(widthMultiplier: width, usesSpatialMultiplexing: multiplexed))
      }
    }
    + [0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75].map { mobileNet(MobileNetV2(leaveOutRatio: $0)) }

  private static func mobileNet(_ model: MobileNetV2) -> Entry {
    let architecture = model.architecture()
    var summary = "MobileNetV2, width \(model.widthMultiplier)"
    if model.usesSpatialMultiplexing { summary += ", spatial multiplexing in the repeat blocks" }
    if model.leaveOutRatio > 0 {
      summary += ", leaving out \(model.leaveOutRatio) of the channels in the repeat blocks"
    }
    return Entry(name: architecture.name, summary: summary) { () throws(NetworkError) in
      architecture
    }
  }

  private static func matches(
    _ name: ArraySlice<Character>, _ glob: ArraySlice<Character>
  ) -> Bool {
    guard let first = glob.first else { return name.isEmpty }
    if first == "*" {
      return matches(name, glob.dropFirst())
        || (!name.isEmpty && matches(name.dropFirst(), glob))
    }
    guard let letter = name.first, first == "?" || letter == first else { return false }
    return matches(name.dropFirst(), glob.dropFirst())
  }
}
