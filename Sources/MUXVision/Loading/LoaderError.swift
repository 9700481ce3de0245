// SPDX-License-Identifier: Apache-2.0
public import MUXCore
public import MUXImages

/// Why batches cannot be made.
public enum LoaderError: Sendable, Hashable, DescribedError {
  /// The data set has no sample.
  case emptyDataSet
  /// Not one full batch, while the last, shorter one is to be dropped.
  case batchLargerThanData(batchSize: Int, count: Int)
  /// A setting that makes no sense.
  case badSetting(name: String, value: Int, expected: String)
  /// The batch to start at lies beyond the epoch.
  case badStart(batch: Int, batchesPerEpoch: Int)
  /// A step of the pipeline failed on a sample.
  case transform(name: String, error: ImageError)
  /// The images of a batch come out in different sizes.
  case unequalSizes(name: String, size: ImageSize, otherName: String, otherSize: ImageSize)

  /// One line: what, where, how to fix.
  public var description: String {
    switch self {
    case .emptyDataSet:
      "the data set has no sample; check its path and its split"
    case .batchLargerThanData(let batchSize, let count):
      "the batch size \(batchSize) is larger than the data set (\(count) samples) and short batches"
        + " are dropped; use a batch size of at most \(count)"
    case .badSetting(let name, let value, let expected):
      "\(name) is \(value); it must be \(expected)"
    case .badStart(let batch, let batchesPerEpoch):
      "cannot start at batch \(batch): an epoch has \(batchesPerEpoch) batches; was the data or the"
        + " batch size changed?"
    case .transform(let name, let error):
      "\(name): \(error)"
    case .unequalSizes(let name, let size, let otherName, let otherSize):
      "\(name) comes out as \(size.width)×\(size.height), but \(otherName) as"
        + " \(otherSize.width)×\(otherSize.height); add a resize or crop to one"
        + " size to the pipeline"
    }
  }
}
