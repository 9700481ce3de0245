// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXTestSupport
import MUXTraining
import Testing

@Suite("TensorBoard events")
struct TensorBoardWriterTests {
  private func contents(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test("The first record is the version record that the reference writer makes, byte by byte")
  func versionRecord() throws {
    let folder = try TemporaryFolder()
    let writer = try TensorBoardWriter(directory: folder.path, wallTime: { 1.5 })
    // As written by TensorBoard's own record writer for a wall time of 1.5.
    let expected: [UInt8] = [
      0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0xf8, 0x3f, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45,
      0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0x2a, 0x28, 0x64, 0x6c,
    ]
    #expect(try contents(writer.path) == expected)
  }

  @Test("Scalars are framed with the checksums of the reference writer")
  func scalarRecord() throws {
    let folder = try TemporaryFolder()
    let writer = try TensorBoardWriter(directory: folder.path, wallTime: { 1.5 })
    let start = try contents(writer.path).count
    try writer.write("loss", 0.5, step: 300)
    let expected: [UInt8] = [
      0x1b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1a, 0x0d, 0x9e, 0x13, 0x09, 0x00, 0x00,
      0x00, 0x00, 0x00, 0x00, 0xf8, 0x3f, 0x10, 0xac, 0x02, 0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 0x04,
      0x6c, 0x6f, 0x73, 0x73, 0x15, 0x00, 0x00, 0x00, 0x3f, 0x69, 0xf9, 0x31, 0x5b,
    ]
    #expect(try Array(contents(writer.path)[start...]) == expected)
  }

  @Test("A resumed run gets a later file and leaves the earlier one as it was")
  func resume() throws {
    let folder = try TemporaryFolder()
    let first = try TensorBoardWriter(directory: folder.path, wallTime: { 100 })
    try first.write("loss", 1, step: 1)
    let before = try contents(first.path)
    let second = try TensorBoardWriter(directory: folder.path, resumeStep: 1, wallTime: { 100 })
    try second.write("loss", 2, step: 1)
    #expect(second.path > first.path)
    #expect(try contents(first.path) == before)
  }
}
