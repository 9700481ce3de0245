// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXCore
public import MUXImages
public import MUXNetworks
public import MUXTasks
public import MUXWeights

/// What a weights file says about itself: the network, the classes, how images are prepared, the
/// licence.
public struct ModelMetadata: Sendable {
  /// The network that the weights are for, if the file holds it.
  public var network: Network?
  /// What the network is for, nil where unknown.
  public var task: NamedTask?
  /// The classes in the order of the outputs; empty where unknown.
  public var classNames: [String] = []
  /// What is done to an image before it goes in, nil where unknown.
  public var pipeline: ImagePipeline?
  /// The licence of the weights, nil where unknown.
  public var license: String?

  /// Reads the metadata of weights: the file of a run (key `muxnet`), a model file of the runtime
  /// (key `muxnet.network`), or any file that names its `license`.
  ///
  /// - Throws: ``ONNXExportError/metadata(key:reason:)`` where a key is there and cannot be read.
  public init(_ archive: TensorArchive) throws(ONNXExportError) {
    let texts = archive.metadata
    if let reason = WeightsFormat.reasonToRefuse(texts) {
      throw .metadata(key: WeightsFormat.key, reason: reason)
    }
    if let text = texts["muxnet"] {
      let run = try Self.decode(Run.self, text, key: "muxnet")
      network = run.network
      task = run.task?.task
      classNames = run.classNames ?? []
      pipeline = run.pipeline
    }
    if let text = texts["muxnet.network"] {
      network = try Self.decode(Network.self, text, key: "muxnet.network")
    }
    license = texts["license"] ?? texts["licence"]
  }

  /// The part of a run's metadata that matters here.
  private struct Run: Decodable {
    let network: Network
    let task: TaskMention?
    let classNames: [String]?
    let pipeline: ImagePipeline?
  }

  private static func decode<Value: Decodable>(
    _ type: Value.Type, _ text: String, key: String
  ) throws(ONNXExportError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch let error as NetworkError {
      throw .metadata(key: key, reason: error.description)
    } catch {
      let reason = (error as? DecodingError)?.reason ?? "\(error)"
      throw .metadata(key: key, reason: "it is not the JSON that this version writes: \(reason)")
    }
  }

  /// Makes sure that a network has the outputs that the task needs for the classes, where they are named:
  /// whoever uses the file takes the name of an output from its place.
  ///
  /// - Throws: `TaskError`.
  package func checkClasses(of network: Network) throws {
    guard !classNames.isEmpty, network.outputs.count == 1 else { return }
    _ = try (task ?? NamedTask()).task.head(for: network, classNames: classNames)
  }

  static func json(of names: [String]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return (try? encoder.encode(names)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
  }
}
