// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Testing

@Suite("Choice of the instruction set", .serialized)
struct DispatchTests {
  @Test("The generic variant is always there, and the current one is available")
  func generic() {
    #expect(mux_isa_available(MUX_ISA_GENERIC))
    #expect(mux_isa_available(mux_isa_current()))
  }

  @Test("A variant the processor lacks is refused")
  func refusal() {
    let before = mux_isa_current()
    #expect(!mux_isa_select(mux_isa(rawValue: 99)))
    #expect(mux_isa_current() == before)
  }
}
