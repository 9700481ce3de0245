// SPDX-License-Identifier: Apache-2.0
#if TORCH
  import Foundation
  import MUXTestSupport
  import Testing

  @Suite("libtorch is opened when it is needed", .tags(.processes), .endsSometime)
  struct TorchLibraryTests {
    /// A copy of the program in a folder of its own, beside a library that is none.
    private func broken(_ folder: TemporaryFolder) throws -> String {
      let copy = folder("muxnet")
      // A second name, where the folder is on the same disk.
      do { try FileManager.default.linkItem(atPath: Program.url.path, toPath: copy) } catch {
        try FileManager.default.copyItem(atPath: Program.url.path, toPath: copy)
      }
      #if canImport(Darwin)
        _ = try folder.write("libMUXTorch.dylib", Array("no library".utf8))
      #else
        _ = try folder.write("libMUXTorch.so", Array("no library".utf8))
      #endif
      return copy
    }

    @Test("Only what trains opens it; where it cannot be opened, one line says why")
    func opened() throws {
      let folder = try TemporaryFolder()
      let program = try broken(folder)
      let plain = try Program.run(
        shell: "\(program) describe muxnet_digits && \(program) models", in: folder.path)
      #expect(plain.code == 0, "\(plain.errors)")
      let training = try Program.run(
        shell: "\(program) train --recipe digits --output runs", in: folder.path)
      #expect(training.code == 1)
      #expect(training.errorLines.count == 1, "\(training.errors)")
      #expect(training.errorLines.first?.contains("libMUXTorch") == true, "\(training.errors)")
      let environment = try Program.run(shell: "\(program) environment", in: folder.path)
      #expect(environment.code == 0)
      #expect(environment.output.contains("cannot load libtorch"))
    }
  }
#endif
