// SPDX-License-Identifier: Apache-2.0
internal import CMUXRuntime
internal import MUXImages
internal import MUXRuntime

/// Why a call from another language fails: a status and a line.
struct CallError: Error {
  var status: Int
  var message: String

  init(_ status: Int, _ message: String) {
    self.status = status
    self.message = message
  }

  static func null(_ name: String) -> CallError {
    CallError(MUX_ERROR_ARGUMENT, "'\(name)' is null; give a pointer")
  }

  static func size(_ name: String, _ actual: Int, _ expected: Int) -> CallError {
    CallError(
      MUX_ERROR_SIZE,
      "'\(name)' has room for \(actual) numbers, but there are \(expected); give \(expected)")
  }

  /// The status of an error of the runtime.
  init(_ error: any Error) {
    message = "\(error)"
    switch error {
    case let error as CallError: self = error
    case let error as RuntimeError:
      switch error {
      case .notClassifier, .otherTask, .notDetector, .noFeatures: status = MUX_ERROR_TASK
      case .preparation, .notFinite, .resultNotFinite: status = MUX_ERROR_IMAGE
      case .pixelCount: status = MUX_ERROR_SIZE
      case .threads, .guessCount, .imageCount: status = MUX_ERROR_ARGUMENT
      case .unsupported, .modelFile, .description, .precision, .lanes, .instructionSet, .poolSize,
        .batching, .waitingLimit, .poolFull, .poolShutDown, .runCount, .calibration, .engineInUse:
        status = MUX_ERROR_FILE
      }
    case is ImageError: status = MUX_ERROR_IMAGE
    default: status = MUX_ERROR_FILE
    }
  }
}

/// Runs a call: its status, and its line kept for the thread that asks for it.
func call(_ body: () throws -> Void) -> Int32 {
  do {
    try body()
    return Int32(MUX_OK)
  } catch {
    let failure = CallError(error)
    mux_keep_error(failure.message)
    return Int32(failure.status)
  }
}

func model(_ number: UInt64) throws -> OpenModel {
  guard let model = OpenModels[number] else {
    throw CallError(
      MUX_ERROR_MODEL,
      "there is no open model \(number): it was closed, or never opened; open it again")
  }
  return model
}
