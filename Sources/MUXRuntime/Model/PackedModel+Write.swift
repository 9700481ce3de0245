// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import Foundation
import MUXCore
public import MUXImages
public import MUXNetworks
package import MUXTasks
public import MUXWeights

extension PackedModel {
  /// The widths of vectors for which this build can pack: those of its kernels.
  public static var possibleLanes: [Int] {
    #if arch(x86_64)
      let sets = InstructionSet.allCases
    #else
      let sets = [InstructionSet.generic]
    #endif
    return Array(Set(sets.map(\.lanes))).sorted()
  }

  /// Packs a network's weights and writes the file: to a temporary one first, then renamed.
  ///
  /// - Parameters:
  ///   - network: The network.
  ///   - weights: Its tensors under their names, batch norms not folded.
  ///   - classNames: The classes, in the order of the outputs.
  ///   - task: The name of what the network is for; nil for classification.
  ///   - pipeline: What is done to an image before it goes in; it must have no random steps.
  ///   - metadata: Anything else to keep.
  ///   - precision: The precision of products in plans of the file.
  ///   - calibration: The ranges of the tensors (``Calibrator``), which 8 bits need.
  ///   - lanes: The widths of vectors to pack for; nil takes all (``possibleLanes``). A file with
  ///     fewer is smaller, but runs on fewer processors or more slowly.
  ///   - path: The file to write.
  /// - Throws: `WeightsMismatchError` if the weights are not those of the network,
  ///   `TensorValueError` if they hold numbers that it cannot compute with or that the precision
  ///   cannot hold, ``RuntimeError`` if classes, preparation or calibration do not fit the network
  ///   or the widths are not possible, `FileError` if the file cannot be written.
  public static func write(
    _ network: Network, weights: TensorArchive, classNames: [String]? = nil,
    task: String? = nil, pipeline: ImagePipeline? = nil, metadata: [String: String] = [:],
    precision: Precision = .float32, calibration: Calibration? = nil, lanes: [Int]? = nil,
    to path: String
  ) throws {
    let bytes = try bytes(
      network, weights: weights, classNames: classNames, task: task,
      pipeline: pipeline, metadata: metadata, precision: precision, calibration: calibration,
      lanes: lanes)
    try AtomicFile.write(bytes, to: path)
  }

  /// The file's bytes.
  package static func bytes(
    _ network: Network, weights: TensorArchive, classNames: [String]? = nil,
    task: String? = nil, pipeline: ImagePipeline? = nil, metadata: [String: String] = [:],
    precision: Precision = .float32, calibration: Calibration? = nil, lanes: [Int]? = nil
  ) throws -> [UInt8] {
    try pack(
      CheckedWeights(weights, for: network), classNames: classNames, task: task,
      pipeline: pipeline, metadata: metadata, precision: precision, calibration: calibration,
      lanes: lanes
    ).bytes
  }

  /// The file's bytes, and the channels that its precision makes 0. The products of the layers in `kept`
  /// stay in single precision.
  package static func pack(
    _ weights: CheckedWeights, classNames: [String]? = nil,
    task: String? = nil, taskSettings: NamedTask? = nil, pipeline: ImagePipeline? = nil,
    metadata: [String: String] = [:],
    precision: Precision = .float32, calibration: Calibration? = nil, kept: [String] = [],
    lanes: [Int]? = nil
  ) throws -> (bytes: [UInt8], vanishing: [VanishingChannels]) {
    let network = weights.network
    let chosen = Array(Set(lanes ?? possibleLanes)).sorted()
    guard !chosen.isEmpty, chosen.allSatisfy(possibleLanes.contains) else {
      throw RuntimeError.lanes(chosen, possible: possibleLanes)
    }
    if let defect = PackedDescription.defect(
      network, classNames: classNames, task: task, pipeline: pipeline)
    {
      throw RuntimeError.description(network: network.name, reason: defect)
    }
    let calibration = precision == .int8 ? calibration : nil
    let kept = precision == .float32 ? [] : kept
    for (key, range) in calibration?.ranges ?? [:] where !range.isUsable {
      throw RuntimeError.calibration(layer: key)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let description = try encoder.encode(
      PackedDescription(
        network: network, classNames: classNames, task: task,
        taskSettings: taskSettings.map { TaskMention($0) }, pipeline: pipeline,
        metadata: metadata.isEmpty ? nil : metadata,
        precision: precision == .float32 ? nil : precision, calibration: calibration,
        kept: kept.isEmpty ? nil : kept))
    // The widest lie beside the index: a system that maps files in large pages then keeps less in memory
    // of what is not used.
    var vanishing: [VanishingChannels] = []
    let variants = try chosen.reversed().map { lanes in
      let packed = try entries(weights, precision, calibration, Set(kept), lanes: lanes)
      vanishing = packed.vanishing
      return (lanes: lanes, entries: packed.entries)
    }
    let bytes = assemble(
      variants, description: [UInt8](description),
      version: PackedFormat.version(
        precision, hasPipeline: pipeline != nil, keepsLayers: !kept.isEmpty))
    return (bytes, vanishing)
  }

  private static func entries(
    _ weights: CheckedWeights, _ precision: Precision, _ calibration: Calibration?,
    _ kept: Set<String>, lanes: Int
  ) throws -> (entries: [PackedWeightSource.Entry], vanishing: [VanishingChannels]) {
    let network = weights.network
    let set = lanes == InstructionSet.generic.lanes ? InstructionSet.generic : .avx512
    let source = PackedWeightSource(isRecording: true)
    let weights = LayerWeights(weights)
    let program = try Compilation(
      network, inputSize: network.inputSize,
      target: PlanTarget(lanes: set.lanes, precision: precision, kept: kept)
    ).program
    _ = try Packing.pack(program, weights: weights, source: source, calibration: calibration)
    let checks = PackingChecks(
      network: network, weights: weights, source: source, precision: precision)
    try checks.check()
    return (source.entries, checks.vanishingChannels)
  }

  private static func assemble(
    _ variants: [(lanes: Int, entries: [PackedWeightSource.Entry])], description: [UInt8],
    version: UInt32
  ) -> [UInt8] {
    let tables = PackedFormat.headerSize + variants.count * PackedFormat.variantSize
    let entryCount = variants.reduce(0) { $0 + $1.entries.count }
    let descriptionStart = tables + entryCount * PackedFormat.entrySize
    let end = descriptionStart + description.count
    var index: [UInt8] = [], entries: [UInt8] = []
    var data: [(start: Int, bytes: [UInt8])] = []
    var position = end
    for variant in variants {
      position = aligned(position, PackedFormat.pageSize)
      var own: [UInt8] = []
      let table = tables + entries.count
      for entry in variant.entries {
        own.append(
          contentsOf: repeatElement(
            0, count: aligned(own.count, PackedFormat.alignment) - own.count))
        append(entry.key, to: &entries)
        append(UInt64(own.count), to: &entries)
        append(UInt64(entry.bytes.count), to: &entries)
        own.append(contentsOf: entry.bytes)
      }
      append(UInt32(variant.lanes), to: &index)
      append(UInt32(variant.entries.count), to: &index)
      append(UInt64(table), to: &index)
      append(UInt64(position), to: &index)
      append(UInt64(own.count), to: &index)
      append(own.withUnsafeBytes { mux_checksum($0.baseAddress, $0.count, 0) }, to: &index)
      data.append((position, own))
      position += own.count
    }
    var file = PackedFormat.signature
    append(version, to: &file)
    append(UInt32(variants.count), to: &file)
    append(UInt64(position), to: &file)
    append(UInt64(description.count), to: &file)
    append(UInt64(end), to: &file)
    file.append(contentsOf: repeatElement(0, count: PackedFormat.headerSize - file.count))
    file += index + entries + description
    for (start, bytes) in data {
      file.append(contentsOf: repeatElement(0, count: start - file.count))
      file += bytes
    }
    seal(&file)
    return file
  }

  /// Writes the checksums, as far as there are any: after honest changes, and in tests after
  /// dishonest ones, which they would otherwise give away.
  package static func seal(_ file: inout [UInt8]) {
    file.withUnsafeMutableBytes { bytes in
      sealData(bytes)
      let reader = PackedReader(bytes: UnsafeRawBufferPointer(bytes))
      guard let end = reader.number(UInt64.self, 32), end >= PackedFormat.headerSize,
        end <= bytes.count
      else { return }
      let checksum = PackedFormat.checksum(UnsafeRawBufferPointer(bytes), indexEnd: end)
      bytes.storeBytes(of: checksum.littleEndian, toByteOffset: 56, as: UInt64.self)
    }
  }

  private static func sealData(_ bytes: UnsafeMutableRawBufferPointer) {
    let reader = PackedReader(bytes: UnsafeRawBufferPointer(bytes))
    let count = min(reader.number(UInt32.self, 12) ?? 0, PackedFormat.maximumVariants)
    for position in 0..<count {
      let at = PackedFormat.headerSize + position * PackedFormat.variantSize
      guard let begin = reader.number(UInt64.self, at + 16),
        let length = reader.number(UInt64.self, at + 24), at + 40 <= bytes.count,
        let range = PackedReader.range(begin, length, within: 0..<bytes.count)
      else { continue }
      let data = UnsafeRawBufferPointer(rebasing: reader.bytes[range])
      let checksum = mux_checksum(data.baseAddress, data.count, 0)
      bytes.storeBytes(of: checksum.littleEndian, toByteOffset: at + 32, as: UInt64.self)
    }
  }

  private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func aligned(_ value: Int, _ alignment: Int) -> Int {
    (value + alignment - 1) / alignment * alignment
  }
}
