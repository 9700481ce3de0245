// SPDX-License-Identifier: Apache-2.0
import MUXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The sizes of many files, looked up by several threads at once: about a second for a million files
/// that the system knows, and as long as their first reading where a network lies between.
struct FileSizes {
  private let sizes: [Int64]  // −1 for what is no file

  /// Looks up every path.
  init(_ paths: [String]) {
    let block = 4096
    sizes = parallelMap((paths.count + block - 1) / block, threads: 8) { number in
      paths[(number * block)..<min((number + 1) * block, paths.count)].map { path in
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return -1 }
        return Int64(status.st_size)
      } as [Int64]
    }.flatMap { $0 }
  }

  /// The size in bytes; nil where there is no regular file.
  subscript(index: Int) -> Int? { sizes[index] < 0 ? nil : Int(sizes[index]) }

  func hash(of names: [String]) -> StableHash {
    var hash = StableHash()
    for (name, size) in zip(names, sizes) {
      hash.add(name)
      hash.add(Int(size))
    }
    return hash
  }
}
