// SPDX-License-Identifier: Apache-2.0
internal import CTorch

/// The store of keys by which processes find each other, served by a launcher as long as this lives.
public final class StoreServer {
  /// The port where it listens.
  public let port: Int
  private let handle: ct_store_server?

  /// Serves a store at a port that is free.
  public init() throws(TorchError) {
    try TorchRuntime.check()
    var server: ct_store_server?
    var port: Int32 = 0
    try succeed(ct_store_serve(0, &server, &port))
    handle = server
    self.port = Int(port)
  }

  deinit { ct_store_server_release(handle) }
}

@available(*, unavailable)
extension StoreServer: Sendable {}
