// SPDX-License-Identifier: Apache-2.0
import CMUXKernels
import Foundation
import MUXTestSupport
import Testing

/// What another thread found.
private final class Seen: @unchecked Sendable {
  var isa = MUX_ISA_GENERIC
}

@Suite("Choice of the instruction set", .serialized, .tags(.waits), .endsSometime)
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

  @Test("A choice holds for the thread that made it, and for no other")
  func threads() {
    let process = mux_isa_current()
    withVariant(MUX_ISA_GENERIC) {
      #expect(mux_isa_current() == MUX_ISA_GENERIC)
      let other = Seen()
      let done = DispatchSemaphore(value: 0)
      let thread = Thread {
        other.isa = mux_isa_current()
        done.signal()
      }
      thread.start()
      done.wait()
      #expect(other.isa == process)
    }
    #expect(mux_isa_current() == process)
  }
}
