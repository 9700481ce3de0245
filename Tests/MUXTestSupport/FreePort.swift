// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Ports of the loopback interface.
public enum FreePort {
  /// Where there is none.
  public struct Absent: Error {}

  /// A port that nobody listened at a moment ago.
  public static func find() throws(Absent) -> Int {
    #if canImport(Darwin)
      let stream = SOCK_STREAM
    #else
      let stream = Int32(SOCK_STREAM.rawValue)
    #endif
    let handle = socket(AF_INET, stream, 0)
    guard handle >= 0 else { throw Absent() }
    defer { close(handle) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> UInt16? in
        guard bind(handle, generic, length) == 0, getsockname(handle, generic, &length) == 0 else {
          return nil
        }
        return pointer.pointee.sin_port.bigEndian
      }
    }
    guard let port else { throw Absent() }
    return Int(port)
  }
}
