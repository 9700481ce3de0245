// SPDX-License-Identifier: Apache-2.0
internal import CMUXKernels
internal import Foundation
package import MUXCore
public import MUXImages
public import MUXNetworks
package import MUXTasks

/// A network with its weights packed for the kernels, in one file that is mapped into memory: the
/// weights are used where they lie, so a plan is made within milliseconds.
///
/// ```swift
/// let plan = try InferencePlan(model: "muxnet_m.muxnet")
/// let engine = try InferenceEngine(plan)
/// let logits = try engine.run(pixels)
/// ```
///
/// A file has the weights for one or several widths of vectors (16 lanes with AVX-512, else 8).
/// Everything in it is checked when it is opened: sizes and offsets, and checksums of the index and
/// of those weights that are used. The file must not be changed in place while it is in use, unless it is
/// copied into memory (``ModelLoading``); ``write(_:weights:classNames:task:pipeline:metadata:precision:calibration:lanes:to:)`` replaces it
/// as a whole.
public struct PackedModel: Sendable {
  /// The network, checked against `Limits`.
  public let network: Network
  /// The classes, in the order of the outputs; nil if the file does not name them.
  public let classNames: [String]?
  /// The name of what the network is for, such as `multiLabel`; nil for classification.
  public let task: String?
  /// The settings of that task, where the file has any.
  package let taskSettings: NamedTask?
  /// What is done to an image before it goes in; nil if the file does not say.
  public let pipeline: ImagePipeline?
  /// What the weights are packed for; plans of this model compute so.
  public let precision: Precision
  /// The ranges of the tensors that 8 bits were calibrated with; nil for other precisions.
  public let calibration: Calibration?
  /// Layers whose products are in single precision all the same.
  package let kept: Set<String>
  /// Whatever else the writer put in.
  public let metadata: [String: String]
  /// The widths of vectors for which there are weights, ascending.
  public let lanes: [Int]
  /// The version of the file's format.
  package let formatVersion: Int
  /// Where the file lies, for messages.
  public let path: String
  private let file: ByteRegion
  private let variants: [PackedFormat.Variant]

  /// Whether the file at a path begins as a packed model does; false if it cannot be read.
  public static func isPacked(_ path: String) -> Bool {
    (try? ByteRegion(mapping: path)).map(PackedFormat.isPacked) ?? false
  }

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - loading: Whether it is used where it lies, or copied.
  /// - Throws: ``RuntimeError/modelFile(path:reason:)`` if it is not what it claims to be.
  public init(
    contentsOf path: String, loading: ModelLoading = .mapped
  ) throws(RuntimeError) {
    let file: ByteRegion
    do { file = try loading.region(path) } catch {
      throw .modelFile(path: path, reason: error.description)
    }
    try self.init(file, path: path)
  }

  /// Reads a file's bytes from memory; `path` is for messages.
  package init(_ file: ByteRegion, path: String) throws(RuntimeError) {
    let outcome = file.withUnsafeBytes { bytes in
      Result { () throws(Defect) in try Self.index(bytes) }
    }
    let description: PackedDescription
    let version: UInt32
    let pipeline: ImagePipeline?
    do {
      let index = try outcome.get()
      variants = index.variants
      description = try Self.description(file[index.description])
      pipeline = try Self.pipeline(description)
      version = index.version
    } catch {
      throw .modelFile(path: path, reason: error.reason)
    }
    self.path = path
    self.file = file
    formatVersion = Int(version)
    network = description.network
    classNames = description.classNames
    task = description.task
    taskSettings = description.taskSettings?.task
    self.pipeline = pipeline
    precision = description.precision ?? .float32
    calibration = precision == .int8 ? description.calibration : nil
    kept = Set(description.kept ?? [])
    metadata = description.metadata ?? [:]
    lanes = variants.map(\.lanes).sorted()
    do { try checkDescription(version: version) } catch {
      throw .modelFile(path: path, reason: error.reason)
    }
  }

  /// The best kernels here that the file has weights for.
  func bestInstructionSet() throws(RuntimeError) -> InstructionSet {
    let current = InstructionSet.current
    if lanes.contains(current.lanes) { return current }
    for set in InstructionSet.allCases.reversed() where set.isAvailable && lanes.contains(set.lanes)
    {
      return set
    }
    throw .modelFile(
      path: path,
      reason: "it has weights for vectors of \(lanes.map(String.init).joined(separator: " and "))"
        + " lanes, but this processor's have \(current.lanes); convert it again for those")
  }

  /// The weights for vectors of so many lanes, their checksum checked; nil if the file has none.
  func weights(lanes: Int) throws(RuntimeError) -> PackedWeights? {
    guard let variant = variants.first(where: { $0.lanes == lanes }) else { return nil }
    // A file that was cut off since it was opened cannot be looked at.
    if let stamp = file.fileStamp, stamp.size < file.count {
      throw .modelFile(path: path, reason: Defect.truncated.reason)
    }
    let outcome = file.withUnsafeBytes { bytes in
      Result { () throws(Defect) in try Self.entries(bytes, variant) }
    }
    do {
      return PackedWeights(
        entries: try outcome.get(), data: file[variant.data],
        watch: ModelWatch(file, weights: variant.data, checksum: variant.checksum, path: path))
    } catch {
      throw .modelFile(path: path, reason: error.reason)
    }
  }
}

extension PackedModel {
  /// Why a file is refused.
  private struct Defect: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }

    static let truncated = Defect("it is cut off or damaged; copy or convert it again")
    static let damaged = Defect("it is damaged (a checksum differs); copy or convert it again")
  }

  private static func index(
    _ bytes: UnsafeRawBufferPointer
  ) throws(Defect) -> (version: UInt32, variants: [PackedFormat.Variant], description: Range<Int>) {
    let reader = PackedReader(bytes: bytes)
    guard bytes.count >= PackedFormat.signature.count,
      bytes.prefix(PackedFormat.signature.count).elementsEqual(PackedFormat.signature)
    else { throw Defect("it is not a packed model; convert the weights to one") }
    guard let version = reader.raw(UInt32.self, 8) else { throw .truncated }
    guard PackedFormat.versions.contains(version) else {
      throw Defect(
        "it has version \(version) of the format, but this program reads versions"
          + " \(PackedFormat.versions.lowerBound) to \(PackedFormat.versions.upperBound);"
          + " convert it again")
    }
    guard let count = reader.number(UInt32.self, 12), let size = reader.number(UInt64.self, 16),
      let length = reader.number(UInt64.self, 24), let end = reader.number(UInt64.self, 32),
      let checksum = reader.raw(UInt64.self, 56), size == bytes.count,
      end <= bytes.count, end >= PackedFormat.headerSize,
      (1...PackedFormat.maximumVariants).contains(count),
      let description = PackedReader.range(
        end - min(length, end), length, within: PackedFormat.headerSize..<end)
    else { throw .truncated }
    guard PackedFormat.checksum(bytes, indexEnd: end) == checksum else { throw .damaged }
    var variants: [PackedFormat.Variant] = []
    let tables = PackedFormat.headerSize + count * PackedFormat.variantSize
    guard tables <= description.lowerBound else { throw .truncated }
    for position in 0..<count {
      let at = PackedFormat.headerSize + position * PackedFormat.variantSize
      guard let lanes = reader.number(UInt32.self, at),
        let entries = reader.number(UInt32.self, at + 4),
        let table = reader.number(UInt64.self, at + 8),
        PackedReader.range(
          table, entries * PackedFormat.entrySize, within: tables..<description.lowerBound) != nil,
        let begin = reader.number(UInt64.self, at + 16),
        let length = reader.number(UInt64.self, at + 24),
        let checksum = reader.raw(UInt64.self, at + 32),
        let data = PackedReader.range(begin, length, within: end..<bytes.count),
        begin % PackedFormat.pageSize == 0, (1...64).contains(lanes),
        !variants.contains(where: { $0.lanes == lanes || $0.data.upperBound > begin })
      else { throw .truncated }
      variants.append(
        PackedFormat.Variant(
          lanes: lanes, entryCount: entries, table: table, data: data, checksum: checksum))
    }
    return (version, variants, description)
  }

  private static func entries(
    _ bytes: UnsafeRawBufferPointer, _ variant: PackedFormat.Variant
  ) throws(Defect) -> [PackedWeights.Entry] {
    let reader = PackedReader(bytes: bytes)
    var entries: [PackedWeights.Entry] = []
    entries.reserveCapacity(variant.entryCount)
    var end = 0
    for position in 0..<variant.entryCount {
      let at = variant.table + position * PackedFormat.entrySize
      guard let key = reader.raw(UInt64.self, at), let offset = reader.number(UInt64.self, at + 8),
        let length = reader.number(UInt64.self, at + 16),
        let range = PackedReader.range(offset, length, within: end..<variant.data.count),
        offset % PackedFormat.alignment == 0
      else { throw .truncated }
      entries.append(PackedWeights.Entry(key: key, bytes: range))
      end = range.upperBound
    }
    let data = UnsafeRawBufferPointer(rebasing: bytes[variant.data])
    guard mux_checksum(data.baseAddress, data.count, 0) == variant.checksum else { throw .damaged }
    return entries
  }

  private static func description(_ region: ByteRegion) throws(Defect) -> PackedDescription {
    let data = region.withUnsafeBytes { Data($0) }
    do {
      return try JSONDecoder().decode(PackedDescription.self, from: data)
    } catch let error as NetworkError {
      throw Defect(error.description)
    } catch {
      throw Defect(
        "its description cannot be read (\(PackedDescription.reason(error))); convert it again")
    }
  }

  private static func pipeline(_ description: PackedDescription) throws(Defect) -> ImagePipeline? {
    if let normalization = description.normalization {
      let counts = [normalization.mean.count, normalization.standardDeviation.count]
      guard counts.allSatisfy({ $0 == description.network.inputChannels }),
        normalization.standardDeviation.allSatisfy({ $0 > 0 && $0.isFinite }),
        normalization.mean.allSatisfy({ $0.isFinite })
      else { throw Defect("its normalisation is not that of its images; convert it again") }
    }
    do { return try description.ownPipeline() } catch {
      throw Defect(
        "its preparation of images cannot be read (\(PackedDescription.reason(error)));"
          + " convert it again")
    }
  }

  private func checkDescription(version: UInt32) throws(Defect) {
    guard
      version
        >= PackedFormat.version(precision, hasPipeline: false, keepsLayers: !kept.isEmpty)
    else {
      throw Defect(
        "version \(version) of the format has no weights for \(precision.rawValue);"
          + " quantize the model again")
    }
    if let defect = PackedDescription.defect(
      network, classNames: classNames, task: task, pipeline: pipeline)
    {
      throw Defect("\(defect); convert it again")
    }
    if precision == .int8 {
      guard let calibration else {
        throw Defect("it has 8-bit weights without their calibration; quantize the model again")
      }
      guard calibration.ranges.values.allSatisfy(\.isUsable) else {
        throw Defect("its calibration has empty ranges; quantize the model again")
      }
    }
    // Every weight takes a byte at least, so that a small file cannot ask for large memory.
    var weights = 0
    for parameter in network.parameters where parameter.role != .batchCount {
      weights += parameter.count
      guard weights <= file.count else {
        throw Defect("its network has more weights than the file; convert it again")
      }
    }
  }
}
