// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How many files, connections and pipes a process may have open at once.
package enum OpenFiles {
  /// Makes sure that some more can be opened. Libraries of the system and of others end the process where
  /// they cannot open what they need, so that this has to be known before they begin.
  ///
  /// The process's own limit is raised where the system allows more.
  ///
  /// - Throws: ``OpenFilesError``.
  package static func require(_ count: Int) throws(OpenFilesError) {
    guard !canOpen(count) else { return }
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, 1024))
      if setrlimit(resource, &raised) == 0 {
        limit = raised
        if canOpen(count) { return }
      }
    }
    throw OpenFilesError(needed: count, limit: Int(clamping: limit.rlim_cur))
  }

  #if canImport(Darwin) || canImport(Musl)
    private static var resource: Int32 { RLIMIT_NOFILE }
  #else
    private static var resource: __rlimit_resource_t { __rlimit_resource_t(RLIMIT_NOFILE.rawValue) }
  #endif

  /// Tries it: what was inherited from the parent process counts, whatever the limit says.
  private static func canOpen(_ count: Int) -> Bool {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    var source = open("/", O_RDONLY | O_CLOEXEC)
    while source >= 0 {
      descriptors.append(source)
      if descriptors.count >= count { return true }
      source = fcntl(source, F_DUPFD_CLOEXEC, 0)
    }
    // Other reasons than the limit are for those who open.
    return errno != EMFILE
  }
}

/// A process may not have as many files open as its work takes.
package struct OpenFilesError: Sendable, Equatable, DescribedError {
  /// How many more files have to be opened.
  package let needed: Int
  /// The limit on all of the process.
  package let limit: Int

  /// One line: what, where, how to fix.
  package var description: String {
    "the system lets this process have \(limit) files open at once, too few for the \(needed) more that"
      + " this takes; raise the limit (ulimit -n 1024)"
  }
}
