// SPDX-License-Identifier: Apache-2.0
internal import MUXNetworks

/// The text of a program: a line for what comes in, one for each step, one for what goes out.
///
/// `v4 planes 24×56×56 = dense blocks.1.0.conv_pw (v2, gate v3) 1×1 blocks.1.0.conv_pw+blocks.1.0.bn3`
/// says what is made and how it lies, by what kind of step under which name, of what is read, and then
/// tensors by name, activations and fused parts. Tests compare it, so it changes only with the plan.
extension Program {
  /// The lines.
  ///
  /// - Parameters:
  ///   - place: Says where a value lies, once that is known.
  ///   - note: Something to add to a step, by its position.
  func text(
    place: (ValueID) -> String? = { _ in nil }, note: (Int) -> String? = { _ in nil }
  ) -> String {
    var lines = ["\(declaration(of: Program.input, place)) = input"]
    for (index, step) in steps.enumerated() {
      let writes = step.writes.map { id in
        // Outputs that are made in parts are declared once.
        isPart(step) ? reference(to: id, step) : declaration(of: id, place)
      }
      let head = "\(writes.joined(separator: ", ")) = \(step.kind) \(step.name)"
      let details = ["(\(reads(of: step)))", details(of: step), note(index)].compactMap(\.self)
      lines.append(([head] + details.filter { !$0.isEmpty }).joined(separator: " "))
    }
    for output in outputs {
      lines.append("output \(output.shape) = \(text(of: output.place))")
    }
    return lines.joined(separator: "\n")
  }

  /// Whether a step writes a part of a value after others have written theirs.
  private func isPart(_ step: Step) -> Bool {
    if case .elementwise(let step) = step.operation { step.offset > 0 } else { false }
  }

  private func reference(to id: ValueID, _ step: Step) -> String {
    guard case .elementwise(let step) = step.operation else { return "\(id)" }
    return "\(id)[\(step.offset)…]"
  }

  private func text(of place: Plane) -> String {
    place.offset == 0 ? "\(place.storage)" : "\(place.storage)[\(place.offset)…]"
  }

  // MARK: Values

  private func declaration(of id: ValueID, _ place: (ValueID) -> String?) -> String {
    let value = self[id]
    let shape = "\(value.channels)×\(value.height)×\(value.width)"
    let element = value.element.precision
    let kind: String
    switch value.format {
    case .planes: kind = "planes \(shape)"
    case .flat: kind = "NCHW \(shape)"
    case .blocked: kind = "NCHW\(target.lanes)c \(shape)"
    case .groups: kind = "NCHW\(element.valuesPerGroup)c \(shape)"
    case .sums(let blocked, let bands):
      kind = "sums \(bands)×\(self[blocked].order.count) of \(blocked)"
    case .gate(let blocked): kind = "gate \(self[blocked].usedLanes.count) of \(blocked)"
    case .extremes(let tensors): kind = "extremes \(tensors)"
    }
    var text = "\(id)\(place(id) ?? "") \(kind)"
    if element != .float32 { text += " \(element.rawValue)" }
    if element == .int8 { text += " of \(value.element.range)" }
    switch value.residence {
    case .own: break
    case .overValue(let owner): text += " over \(owner)"
    case .over(let channels): text += " over \(self.text(of: channels))"
    }
    return text
  }

  /// Channels as runs of values, `v3[0..<8]+v5`, or several lists that take turns, `shuffle(v3, v5)`.
  func text(of channels: [Channel]) -> String {
    let lists = (1...4).filter { channels.count % $0 == 0 }.map { count in
      (0..<count).map { first in
        runs(stride(from: first, to: channels.count, by: count).map { channels[$0] })
      }
    }
    func length(_ lists: [[String]]) -> Int { lists.reduce(0) { $0 + $1.count } }
    guard let shortest = lists.min(by: { length($0) < length($1) }) else { return "nothing" }
    let texts = shortest.map { runs in
      // Channels that follow no order would fill a page.
      runs.prefix(8).joined(separator: "+") + (runs.count > 8 ? "+…" : "")
    }
    return texts.count == 1 ? texts[0] : "shuffle(\(texts.joined(separator: ", ")))"
  }

  private func runs(_ channels: [Channel]) -> [String] {
    var runs: [(value: ValueID, range: Range<Int>)] = []
    for channel in channels {
      let index = Int(channel.index)
      if let last = runs.last, last.value == channel.value, last.range.upperBound == index {
        runs[runs.count - 1].range = last.range.lowerBound..<index + 1
      } else {
        runs.append((channel.value, index..<index + 1))
      }
    }
    return runs.map { value, range in
      if range == 0..<self[value].channels { return "\(value)" }
      return range.count == 1
        ? "\(value)[\(range.lowerBound)]"
        : "\(value)[\(range.lowerBound)..<\(range.upperBound)]"
    }
  }

  private func text(of operand: Operand) -> String {
    switch operand {
    case .planes(let planes): text(of: planes.channels)
    case .value(let id): "\(id)"
    }
  }

  private func reads(of step: Step) -> String {
    var parts: [String] = []
    step.forEachOperand { parts.append(text(of: $0)) }
    guard case .dense(let dense) = step.operation else { return parts.joined(separator: ", ") }
    parts = [parts[0]]
    if let gate = dense.gate { parts.append("gate \(gate)") }
    if let addend = dense.sum?.addend { parts.append("add \(text(of: addend))") }
    return parts.joined(separator: ", ")
  }
}

extension ValueID: CustomStringConvertible {
  var description: String { "v\(index)" }
}
