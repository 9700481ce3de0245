// SPDX-License-Identifier: Apache-2.0
public import CMUXRuntime
internal import MUXRuntime

// What mux_runtime.h declares; the comments there are for callers.

/// The version of this interface.
@c @implementation
public func mux_runtime_version() -> Int32 { 1 }

/// Opens a model file.
@c @implementation
public func mux_model_open(
  _ path: UnsafePointer<CChar>?, _ threads: Int32, _ model: UnsafeMutablePointer<mux_model>?
) -> Int32 {
  call {
    guard let path else { throw CallError.null("path") }
    guard let model else { throw CallError.null("model") }
    guard let text = String(validatingCString: path) else {
      throw CallError(MUX_ERROR_ARGUMENT, "'path' is not UTF-8; give a file with such a name")
    }
    model.pointee = OpenModels.add(try OpenModel(text, threads: Int(threads)))
  }
}

/// Closes a model.
@c @implementation
public func mux_model_close(_ model: mux_model) -> Int32 {
  call {
    _ = try MUXRuntimeC.model(model)
    // Another thread may have closed it in the same moment.
    if OpenModels.remove(model) == nil { _ = try MUXRuntimeC.model(model) }
  }
}

/// What is known of a model.
@c @implementation
public func mux_model_describe(
  _ model: mux_model, _ info: UnsafeMutablePointer<mux_model_info>?
) -> Int32 {
  call {
    let plan = try MUXRuntimeC.model(model).plan
    guard let info else { throw CallError.null("info") }
    info.pointee = mux_model_info(
      channels: Int32(clamping: plan.inputShape.channels),
      height: Int32(clamping: plan.inputShape.height),
      width: Int32(clamping: plan.inputShape.width),
      outputs: Int32(clamping: plan.outputShape.count),
      features: Int32(clamping: plan.featureCount ?? 0),
      classes: Int32(clamping: plan.classNames?.count ?? 0),
      is_detector: plan.task == "detection" ? 1 : 0)
  }
}

/// The name of a class.
@c @implementation
public func mux_class_name(
  _ model: mux_model, _ index: Int32, _ name: UnsafeMutablePointer<CChar>?, _ size: Int
) -> Int32 {
  call {
    let names = try MUXRuntimeC.model(model).plan.classNames ?? []
    guard let name else { throw CallError.null("name") }
    guard names.indices.contains(Int(index)) else {
      throw CallError(
        MUX_ERROR_ARGUMENT,
        "there is no class \(index) among the \(names.count) that the model names")
    }
    let bytes = Array(names[Int(index)].utf8)
    guard bytes.count < size else {
      throw CallError(
        MUX_ERROR_SIZE, "the name of class \(index) takes \(bytes.count + 1) bytes; give so many")
    }
    for (place, byte) in bytes.enumerated() { name[place] = CChar(truncatingIfNeeded: byte) }
    name[bytes.count] = 0
  }
}
