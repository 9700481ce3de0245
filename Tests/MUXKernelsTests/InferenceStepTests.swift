// SPDX-License-Identifier: Apache-2.0
import CKernelChecks
import CMUXKernels
import MUXTestSupport
import Testing

/// The kinds of inference steps, as the kernels' list has them.
private let kinds = (0..<UInt32(MUX_STEP_COUNT)).compactMap { mux_step_kind(rawValue: $0) }

/// The variants of the kernels, those that this processor lacks as well.
private let variants = (0..<Int(MUX_VARIANT_COUNT)).map { mux_variant(rawValue: UInt32($0)) }

private func name(_ kind: mux_step_kind) -> String { String(cString: mux_step_name(kind)) }
private func name(_ variant: mux_variant) -> String { String(cString: mux_variant_name(variant)) }

/// A C array of characters that is a tuple in Swift.
private func text<Characters>(_ characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// One kind of step in one variant. Without the variant, the test is skipped and says why.
struct StepVariant: CustomTestStringConvertible {
  let kind: mux_step_kind
  let variant: mux_variant

  var testDescription: String { "\(name(kind)), \(name(variant))" }

  static func all(of variant: mux_variant) -> [StepVariant] {
    kinds.map { StepVariant(kind: $0, variant: variant) }
  }
}

@Suite("Inference steps against plain loops", .tags(.slow))
struct InferenceStepTests {
  @Test("Every kind of step has checks", arguments: kinds.indices)
  func complete(_ index: Int) {
    #expect(kernel_check_count(kinds[index]) >= 10, "\(name(kinds[index]))")
  }

  @Test("Generic vectors", arguments: StepVariant.all(of: MUX_VARIANT_GENERIC))
  func generic(_ step: StepVariant) { check(step) }

  @Test(
    "AVX2", .enabled(if: mux_variant_available(MUX_VARIANT_AVX2), "this processor has no AVX2"),
    arguments: StepVariant.all(of: MUX_VARIANT_AVX2))
  func avx2(_ step: StepVariant) { check(step) }

  @Test(
    "AVX-512",
    .enabled(if: mux_variant_available(MUX_VARIANT_AVX512), "this processor has no AVX-512"),
    arguments: StepVariant.all(of: MUX_VARIANT_AVX512))
  func avx512(_ step: StepVariant) { check(step) }

  @Test(
    "AVX-512 with BF16 and VNNI",
    .enabled(
      if: mux_variant_available(MUX_VARIANT_AVX512_CELLS),
      "this processor does not multiply cells in one instruction"),
    arguments: StepVariant.all(of: MUX_VARIANT_AVX512_CELLS))
  func cells(_ step: StepVariant) { check(step) }

  @Test(
    "NEON with SDOT",
    .enabled(if: mux_variant_available(MUX_VARIANT_NEON_DOT), "this processor has no SDOT"),
    arguments: StepVariant.all(of: MUX_VARIANT_NEON_DOT))
  func neonDot(_ step: StepVariant) { check(step) }

  @Test(
    "NEON with I8MM and BF16",
    .enabled(
      if: mux_variant_available(MUX_VARIANT_NEON_CELLS), "this processor has no I8MM and BF16"),
    arguments: StepVariant.all(of: MUX_VARIANT_NEON_CELLS))
  func neonCells(_ step: StepVariant) { check(step) }

  @Test("The tests above are of all variants")
  func variantsTested() {
    #expect(
      variants.map(name)
        == ["generic", "avx2", "avx512", "avx512cells", "neondot", "neoncells"])
  }

  private func check(_ step: StepVariant) {
    var values: Int64 = 0
    let turn = Int(step.variant.rawValue)
    for index in Portion.of(0..<kernel_check_count(step.kind), turn: turn) {
      let result = kernel_check_run(step.kind, index, step.variant)
      values += result.values
      let fault = text(result.fault)
      #expect(fault.isEmpty, "check \(index), \(text(result.name)): \(fault)")
    }
    #expect(values > 0)
  }
}

@Suite("Variants of the inference steps")
struct StepVariantTests {
  @Test("An instruction set runs its steps in its own variant, those with cells in the best")
  func choice() {
    var dense = mux_dense()
    var choices: [String: [String]] = [:]
    for precision in [MUX_FLOAT32, MUX_BFLOAT16, MUX_INT8] {
      dense.precision = precision
      for isa in availableVariants {
        let variant = mux_precision_variant(isa, precision)
        withUnsafePointer(to: &dense) { argument in
          var step = mux_step(kind: .dense, argument: argument)
          choices[String(cString: mux_isa_name(isa)), default: []].append(
            name(mux_step_variant(isa, &step)))
          #expect(mux_step_variant(isa, &step) == variant)
        }
      }
    }
    let best = mux_variant_available(MUX_VARIANT_AVX512_CELLS) ? "avx512cells" : "avx512"
    let arm =
      mux_variant_available(MUX_VARIANT_NEON_CELLS)
      ? "neoncells" : mux_variant_available(MUX_VARIANT_NEON_DOT) ? "neondot" : "generic"
    #expect(choices["generic"] == ["generic", arm, arm])
    if mux_isa_available(MUX_ISA_AVX2) { #expect(choices["avx2"] == ["avx2", "avx2", "avx2"]) }
    if mux_isa_available(MUX_ISA_AVX512) { #expect(choices["avx512"] == ["avx512", best, best]) }
  }

  @Test("Instruction sets have the numbers and names of their variants")
  func numbers() {
    for isa in 0..<UInt32(MUX_ISA_COUNT) {
      #expect(
        name(mux_variant(rawValue: isa)) == String(cString: mux_isa_name(mux_isa(rawValue: isa))))
    }
    #expect(!mux_variant_available(mux_variant(rawValue: 99)))
  }
}
