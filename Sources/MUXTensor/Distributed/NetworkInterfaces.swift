// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// The network interfaces of this machine.
enum NetworkInterfaces {
  /// The names of a list with commas between them, as `GLOO_SOCKET_IFNAME` has it.
  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.split(separator: " ").joined(separator: " ") }
      .filter { !$0.isEmpty }
  }

  /// The first interface of a list that this machine has. PyTorch opens a connection by each of a list;
  /// here one carries everything.
  static func first(of text: String) throws(ProcessGroupError) -> String {
    let wanted = list(text)
    let existing = names()
    guard let name = wanted.first(where: { existing?.contains($0) ?? true }) else {
      throw .noInterface(text, existing: existing ?? [])
    }
    return name
  }

  /// Names of those that have an address, each once, in the system's order; nil where it does not say.
  static func names() -> [String]? {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return nil }
    defer { freeifaddrs(first) }
    var names: [String] = []
    var next = first
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard let address = entry.ifa_addr,
        [AF_INET, AF_INET6].contains(Int32(address.pointee.sa_family))
      else { continue }
      let name = String(cString: entry.ifa_name)
      if !names.contains(name) { names.append(name) }
    }
    return names
  }
}
