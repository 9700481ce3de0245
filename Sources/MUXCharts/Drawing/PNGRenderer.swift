// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// Turns pictures into PNG files with librsvg's program `rsvg-convert`, which is looked for when a
/// picture is asked for: nothing in the build needs it.
public enum PNGRenderer {
  /// Why there is no PNG.
  public enum Failure: Error, Sendable, Equatable, CustomStringConvertible, LocalizedError {
    /// The program is not installed.
    case missing
    /// The program failed, with what it said.
    case failed(String)

    /// What went wrong, in one line.
    public var description: String {
      switch self {
      case .missing:
        "PNG pictures need rsvg-convert of librsvg (apt-get install librsvg2-bin, or brew install"
          + " librsvg); SVG needs nothing"
      case .failed(let reason): "rsvg-convert made no picture: \(reason)"
      }
    }

    /// The same line, for Foundation.
    public var errorDescription: String? { description }
  }

  /// The program's path, if it is in one of the folders of `PATH`.
  public static func program(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> String? {
    (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/rsvg-convert" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The picture as the bytes of a PNG file.
  ///
  /// - Parameters:
  ///   - picture: The picture.
  ///   - scale: Pixels of the PNG per pixel of the picture.
  ///   - environment: Where `PATH` is looked up.
  /// - Throws: ``Failure``.
  public static func png(
    _ picture: SVGPicture, scale: Double = 2,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(Failure) -> [UInt8] {
    #if os(macOS) || os(Linux)
      guard let program = program(environment: environment) else { throw .missing }
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("muxnet-png-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: folder) }
      do {
        return try run(program, on: picture, scale: scale, in: folder)
      } catch let failure as Failure {
        throw failure
      } catch {
        throw .failed("\(error.localizedDescription)")
      }
    #else
      throw .missing
    #endif
  }

  #if os(macOS) || os(Linux)
    private static func run(
      _ program: String, on picture: SVGPicture, scale: Double, in folder: URL
    ) throws -> [UInt8] {
      // Files instead of pipes: nothing can block however large the picture is.
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      let source = folder.appendingPathComponent("picture.svg")
      let target = folder.appendingPathComponent("picture.png")
      let messages = folder.appendingPathComponent("messages")
      try Data(picture.svg.utf8).write(to: source)
      try Data().write(to: messages)
      let process = Process()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = ["--zoom", "\(scale)", "--output", target.path, source.path]
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = try FileHandle(forWritingTo: messages)
      try process.run()
      process.waitUntilExit()
      guard process.terminationStatus == 0 else {
        let text = try String(contentsOf: messages, encoding: .utf8)
        throw Failure.failed(
          text.split(whereSeparator: \.isNewline).joined(separator: " "))
      }
      return [UInt8](try Data(contentsOf: target))
    }
  #endif
}
