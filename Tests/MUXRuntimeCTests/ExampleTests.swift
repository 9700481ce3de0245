// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXImages
import MUXNetworks
import MUXRuntime
import MUXTestSupport
import MUXWeights
import Testing

/// The examples in other languages, below Samples, as their readers run them.
@Suite("Examples in C and Python", .tags(.processes), .endsSometime)
struct ExampleTests {
  /// The library lies beside the program's place, if it was built (`swift build` builds it).
  private static let library = Program.url.deletingLastPathComponent()
    .appending(path: "libMUXRuntimeC.so")
  private static let hasLibrary = FileManager.default.fileExists(atPath: library.path)

  private static let package = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func runs(_ command: String) -> Bool {
    let folder = try? TemporaryFolder()
    return folder.flatMap { try? Program.run(shell: "\(command) >/dev/null 2>&1", in: $0.path) }?
      .code == 0
  }

  private let folder: TemporaryFolder
  private let picture: Image

  init() throws {
    folder = try TemporaryFolder()
    var builder = NetworkBuilder(name: "small", inputSize: ImageSize(16))
    let x = builder.convolution(
      builder.input, "stem", outputChannels: 8, kernelSize: 3, stride: 2, hasBias: true)
    _ = builder.classify(builder.activation(x, "act", .relu), classes: 5)
    let network = try builder.build()
    try PackedModel.write(
      network, weights: RandomWeights.archive(network, seed: 1),
      classNames: ["Katze", "Öl", "c", "d", "e"], to: folder("m.muxnet"))
    let pixels = (0..<20 * 12 * 3).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    picture = try Image(width: 20, height: 12, bytes: pixels)
    try folder.write("photo.ppm", Array("P6\n20 12\n255\n".utf8) + pixels)
  }

  /// What the examples print.
  private func expected() throws -> String {
    let engine = try InferenceEngine(InferencePlan(model: folder("m.muxnet")))
    return try engine.classify(picture).map {
      "\($0.label): \(String(format: "%.1f", 100 * Double(Float($0.probability)))) %\n"
    }.joined()
  }

  private func run(_ line: String) throws -> Program {
    try Program.run(
      shell: line, in: folder.path,
      environment: [
        "LIBRARY": Self.library.path, "PACKAGE": Self.package.path(percentEncoded: false),
      ])
  }

  @Test(
    "The example in Python",
    .enabled(if: hasLibrary && runs("python3 -c 'import ctypes'"), "needs the library and python3"))
  func python() throws {
    let start = "python3 $PACKAGE/Samples/RunFromPython/muxnet_runtime.py $LIBRARY"
    let program = try run("\(start) m.muxnet photo.ppm")
    #expect(program.errors == "" && program.code == 0)
    #expect(try program.output == expected())
    for (arguments, words) in [
      ("none.muxnet photo.ppm", "No such file"), ("m.muxnet m.muxnet", "not a binary PPM"),
    ] {
      let failed = try run("\(start) \(arguments)")
      #expect(failed.code == 1 && failed.errorLines.count == 1)
      #expect(failed.errors.contains(words), "\(failed.errors)")
    }
    // What the binding offers beside it.
    try folder.write(
      "more.py",
      Array(
        """
        import sys
        sys.path.insert(0, sys.argv[1] + "/Samples/RunFromPython")
        from muxnet_runtime import Runtime, RuntimeFailure, read_ppm
        width, height, pixels = read_ppm("photo.ppm")
        model = Runtime(sys.argv[2]).open("m.muxnet", threads=2)
        assert model.classes == ["Katze", "Öl", "c", "d", "e"], model.classes
        numbers = model.prepare(pixels, width, height)
        assert len(numbers) == 768 and len(model.run(numbers)) == 5
        assert len(model.features(pixels, width, height)) == model.info.features == 8
        assert len(model.classify(pixels, width, height, top=10**12)) == 5
        for wrong in [lambda: model.run([1.0]), lambda: model.classify(pixels[1:], width, height),
                      lambda: model.detect(pixels, width, height)]:
            try:
                wrong()
            except RuntimeFailure as failure:
                assert failure.status in (3, 6) and str(failure), failure
            else:
                raise AssertionError("no error")
        model.close()
        try:
            model.classify(pixels, width, height)
        except RuntimeFailure as failure:
            print(failure.status)
        """.utf8))
    let more = try run("python3 more.py $PACKAGE $LIBRARY")
    #expect(more.output == "2\n" && more.code == 0, "\(more.errors)")
  }

  @Test(
    "The example in C",
    .enabled(if: hasLibrary && runs("cc --version"), "needs the library and a C compiler"))
  func c() throws {
    let built = try run(
      "cc -Wall -Wextra -Werror -I$PACKAGE/Sources/CMUXRuntime/include"
        + " $PACKAGE/Samples/RunFromC/classify.c -o classify $LIBRARY"
        + " -Wl,-rpath,$(dirname $LIBRARY)")
    #expect(built.code == 0, "\(built.errors)")
    let program = try run("./classify m.muxnet photo.ppm")
    #expect(program.code == 0 && program.errors == "")
    #expect(try program.output == expected())
    let failed = try run("./classify none.muxnet photo.ppm")
    #expect(failed.code == 1 && failed.errors.contains("none.muxnet"))
    #expect(try run("./classify m.muxnet").code == 64)
  }
}
