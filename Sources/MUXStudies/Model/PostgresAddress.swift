// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The address of a database server, read as libpq reads it and given to libpq in parts, so that what
/// is shown is what is connected to.
///
/// What is shown is chosen, not what is hidden: user, hosts, database and a few parameters, each only
/// where it is made of plain characters. Everything else may be a secret that was misspelled.
public struct PostgresAddress: Sendable, Hashable {
  /// Why a text is no address; the reason has nothing of the text.
  struct Defect: Error {
    var reason: String
  }

  private var user: Secret?
  var password: Secret?
  private var hosts: [(name: String, port: String)] { zip(names, ports).map { ($0, $1) } }
  private var names: [String] = []
  private var ports: [String] = []
  private var database: Secret?
  /// Names and values in the order given; a later one counts.
  private var options: [Option] = []
  private var original: Secret

  private struct Option: Sendable, Hashable {
    var name: Secret
    var value: Secret
  }

  private static let encoding =
    "write %40 for '@', %2F for '/', %3A for ':', %3F for '?' and %25 for '%' inside of a part"
  /// Parameters that are shown, with the values that they can have.
  private static let shown: [String: Set<String>] = [
    "sslmode": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
    "target_session_attrs": [
      "any", "read-write", "read-only", "primary", "standby", "prefer-standby",
    ],
    "gssencmode": ["disable", "prefer", "require"],
    "channel_binding": ["disable", "prefer", "require"],
    "load_balance_hosts": ["disable", "random"],
    "connect_timeout": Set((0...600).map(String.init)),
  ]
  /// Other parameters that libpq knows: messages may name them.
  private static let known: Set<String> = [
    "host", "hostaddr", "port", "dbname", "user", "password", "passfile", "options", "service",
    "application_name", "client_encoding", "keepalives", "keepalives_idle", "keepalives_interval",
    "keepalives_count", "tcp_user_timeout", "sslcert", "sslkey", "sslpassword", "sslrootcert",
    "sslcrl", "sslcrldir", "requirepeer", "krbsrvname", "gsslib", "require_auth",
  ]

  /// Reads what follows `postgresql://`.
  init(_ text: Substring) throws(Defect) {
    original = Secret("postgresql://\(text)")
    var rest = text
    let authority = rest.prefix { $0 != "/" }
    if let at = authority.lastIndex(of: "@") {
      let login = authority[..<at]
      let colon = login.firstIndex(of: ":")
      if let query = login.firstIndex(of: "?"), query < colon ?? login.endIndex {
        throw Defect(reason: "it has an '@' among its parameters; \(Self.encoding)")
      }
      user = Secret(try Self.decoded(login[..<(colon ?? login.endIndex)]))
      password = try colon.map { colon throws(Defect) in
        Secret(try Self.decoded(login[login.index(after: colon)...]))
      }
      rest = rest[rest.index(after: at)...]
    }
    let place = rest.prefix { $0 != "?" }
    if place.contains("@") {
      throw Defect(reason: "its user and password have a '/' or '@' in them; \(Self.encoding)")
    }
    let query = rest[place.endIndex...].dropFirst()
    let slash = place.firstIndex(of: "/") ?? place.endIndex
    try readHosts(place[..<slash])
    let name = try Self.decoded(place[slash...].dropFirst())
    database = name.isEmpty ? nil : Secret(name)
    try readOptions(query)
  }

  private mutating func readHosts(_ text: Substring) throws(Defect) {
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      var host = part
      var port: Substring = ""
      if part.hasPrefix("[") {
        guard let end = part.firstIndex(of: "]") else {
          throw Defect(reason: "an IPv6 address lacks its ']'")
        }
        host = part[part.index(after: part.startIndex)..<end]
        let after = part[part.index(after: end)...]
        guard after.isEmpty || after.hasPrefix(":"),
          host.allSatisfy({ $0.isHexDigit || ":.%".contains($0) })
        else { throw Defect(reason: "an IPv6 address is not one") }
        port = after.dropFirst()
      } else if let colon = part.firstIndex(of: ":") {
        host = part[..<colon]
        port = part[part.index(after: colon)...]
      }
      guard port.isEmpty || Int(port).map({ (1...65_535).contains($0) }) ?? false,
        port.allSatisfy(\.isASCII)
      else {
        throw Defect(
          reason: "what follows the host's ':' is not a port; a password stands before an '@'")
      }
      names.append(try Self.decoded(host))
      ports.append(String(port))
    }
  }

  private mutating func readOptions(_ text: Substring) throws(Defect) {
    guard !text.isEmpty else { return }
    for part in text.split(separator: "&", omittingEmptySubsequences: false) {
      let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else {
        throw Defect(reason: "one of its parameters is not NAME=VALUE")
      }
      var name = try Self.decoded(sides[0])
      var value = try Self.decoded(sides[1])
      // As drivers of other languages have it.
      if name == "ssl", value == "true" { (name, value) = ("sslmode", "require") }
      options.append(Option(name: Secret(name), value: Secret(value)))
    }
  }

  private static func decoded(_ text: Substring) throws(Defect) -> String {
    guard let decoded = text.removingPercentEncoding, !decoded.contains("\0") else {
      throw Defect(reason: "a '%' in it is not followed by two digits; \(encoding)")
    }
    return decoded
  }

  /// The full text, with all secrets.
  var textWithSecrets: String {
    guard let password else { return original.value }
    // A password may have been asked for, so the text is put together anew.
    func encoded(_ text: String) -> String {
      text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
    let places = hosts.map { host in
      (host.name.contains(":") ? "[\(host.name)]" : encoded(host.name))
        + (host.port.isEmpty ? "" : ":\(host.port)")
    }
    let parameters = options.map { "\(encoded($0.name.value))=\(encoded($0.value.value))" }
    return "postgresql://\(encoded(user?.value ?? "")):\(encoded(password.value))@"
      + places.joined(separator: ",") + "/\(encoded(database?.value ?? ""))"
      + (parameters.isEmpty ? "" : "?\(parameters.joined(separator: "&"))")
  }

  /// The parts by libpq's names, secrets among them; later ones count.
  var parameters: [(name: String, value: String)] {
    var all: [(name: String, value: String)] = []
    if names.contains(where: { !$0.isEmpty }) { all.append(("host", names.joined(separator: ","))) }
    if ports.contains(where: { !$0.isEmpty }) { all.append(("port", ports.joined(separator: ","))) }
    if let user, !user.value.isEmpty { all.append(("user", user.value)) }
    if let database { all.append(("dbname", database.value)) }
    all += options.map { ($0.name.value, $0.value.value) }
    // After the options, since the password of a prompt replaces any other.
    if let password { all.append(("password", password.value)) }
    return all
  }

  /// A message of libpq or the server without anything that is not shown.
  func withoutSecrets(_ message: String) -> String {
    var secrets = [user, password, database].compactMap(\.self).map(\.value)
      .filter { !Self.isPlain($0) }
    if let password { secrets.append(password.value) }
    for option in options {
      let name = option.name.value
      if !Self.known.contains(name), Self.shown[name] == nil { secrets.append(name) }
      if !Self.isShown(option) { secrets.append(option.value.value) }
    }
    var result = message
    // The longest first: one may be a part of another. Very short ones would tear words apart.
    for secret in secrets.sorted(by: { $0.count > $1.count }) where secret.count > 3 {
      result = result.replacing(secret, with: "***")
    }
    return result
  }

  private static func isShown(_ option: Option) -> Bool {
    shown[option.name.value]?.contains(option.value.value) ?? false
  }

  private static func isPlain(_ text: String) -> Bool {
    text.wholeMatch(of: /[A-Za-z0-9_.$\-]+/) != nil
  }
}

extension PostgresAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
  /// The address without secrets.
  public var description: String {
    func shown(_ secret: Secret) -> String { Self.isPlain(secret.value) ? secret.value : "***" }
    var text = "postgresql://"
    if user != nil || password != nil {
      if let user, !user.value.isEmpty { text += shown(user) }
      if password != nil { text += ":***" }
      text += "@"
    }
    text += hosts.map { host in
      let name =
        host.name.isEmpty || Self.isPlain(host.name)
        ? host.name
        : host.name.wholeMatch(of: /[0-9A-Fa-f:.%]+/) != nil
          ? "[\(host.name)]"
          // The folder of a socket.
          : host.name.wholeMatch(of: /\/[A-Za-z0-9_.\/\-]*/) != nil
            ? host.name.replacing("/", with: "%2F") : "***"
      return name + (host.port.isEmpty ? "" : ":\(host.port)")
    }.joined(separator: ",")
    if let database { text += "/\(shown(database))" }
    let parameters = options.filter(Self.isShown).map { "\($0.name.value)=\($0.value.value)" }
    return parameters.isEmpty ? text : "\(text)?\(parameters.joined(separator: "&"))"
  }

  /// As `description`: debuggers and logs see no secrets either.
  public var debugDescription: String { description }

  /// The address without secrets, as only child.
  public var customMirror: Mirror { Mirror(self, children: ["text": description]) }
}
