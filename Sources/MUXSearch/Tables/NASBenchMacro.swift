// SPDX-License-Identifier: Apache-2.0
public import Foundation

/// NAS-Bench-Macro (Su et al., CVPR 2021): 6,561 networks of eight layers, each identity or one of two
/// inverted residuals, with their CIFAR-10 accuracy, parameters and multiply-adds.
public enum NASBenchMacro {
  /// The file's name in the project's data folder.
  public static let fileName = "nas-bench-macro_cifar10.json.gz"

  private struct Record: Decodable {
    var mean_acc: Double
    var params: Double
    var flops: Double
  }

  /// The decisions: the operation of each layer.
  package static let genes = (0..<8).map { Gene("layer\($0)", choices: 3) }

  /// Reads the published JSON, compressed or not. `errorScale` is the error in percent that weighs as
  /// much as the largest cost.
  ///
  /// - Throws: ``SearchError/table(path:reason:)``.
  public static func read(
    _ url: URL, errorScale: Double = 100.0 / 3
  ) throws(SearchError) -> TabularBenchmark {
    let path = url.path(percentEncoded: false)
    let records: [String: Record]
    do {
      records = try JSONDecoder().decode(
        [String: Record].self, from: try GzipReader.read(url))
    } catch let error as SearchError {
      throw error
    } catch {
      throw .table(path: path, reason: "is not NAS-Bench-Macro's JSON")
    }
    var rows = [[Double]](repeating: [], count: 6561)
    for (key, record) in records {
      guard let index = row(of: key) else {
        throw .table(path: path, reason: "'\(key)' is not eight digits from 0 to 2")
      }
      rows[index] = [100 - record.mean_acc, record.params, record.flops]
    }
    if let missing = rows.firstIndex(of: []) {
      throw .table(
        path: path, reason: "network \(String(missing, radix: 3)) of 6,561 is missing")
    }
    return try TabularBenchmark(
      name: "nas-bench-macro", path: path, genes: genes, rows: rows, errorScale: errorScale)
  }

  /// The row of a key: exactly eight digits, since `Int` would take signs as well.
  private static func row(of key: String) -> Int? {
    guard key.utf8.count == genes.count else { return nil }
    var index = 0
    for byte in key.utf8 {
      guard (UInt8(ascii: "0")...UInt8(ascii: "2")).contains(byte) else { return nil }
      index = 3 * index + Int(byte - UInt8(ascii: "0"))
    }
    return index
  }
}
