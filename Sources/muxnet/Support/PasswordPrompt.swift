// SPDX-License-Identifier: Apache-2.0
import Foundation

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#endif

/// Asks for a password on the terminal, wherever input and output go.
enum PasswordPrompt {
  static func ask(for subject: String) throws -> String {
    let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
    guard terminal >= 0 else {
      throw CommandError(
        "there is no terminal to ask for a password on; put it into the file that PGPASSFILE names")
    }
    defer { close(terminal) }
    var before = termios()
    guard tcgetattr(terminal, &before) == 0 else {
      throw CommandError("cannot ask for a password: \(String(cString: strerror(errno)))")
    }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(terminal, TCSAFLUSH, &silent)
    defer { tcsetattr(terminal, TCSAFLUSH, &before) }
    let handle = FileHandle(fileDescriptor: terminal, closeOnDealloc: false)
    try handle.write(contentsOf: Data("Password for \(subject): ".utf8))
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(terminal, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
    try handle.write(contentsOf: Data("\n".utf8))
    return String(decoding: bytes, as: UTF8.self)
  }
}
