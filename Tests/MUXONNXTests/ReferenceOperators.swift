// SPDX-License-Identifier: Apache-2.0

// The operators of `ReferenceInterpreter`, each a loop over its output.

/// A tensor [N, C, H, W] whose elements `body` gives.
private func make(
  _ shape: [Int], _ body: (_ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Float
) -> Numbers {
  var result = Numbers(shape: shape, values: [])
  result.values.reserveCapacity(shape.reduce(1, *))
  for n in 0..<shape[0] {
    for c in 0..<shape[1] {
      for y in 0..<shape[2] { for x in 0..<shape[3] { result.values.append(body(n, c, y, x)) } }
    }
  }
  return result
}

/// The elements of a sample and channel together, for ranks 2 and 4.
private func plane(_ x: Numbers) -> Int { x.shape.dropFirst(2).reduce(1, *) }

func broadcast(_ a: Numbers, _ b: Numbers, _ body: (Float, Float) -> Float) -> Numbers {
  if a.shape == b.shape {
    return Numbers(shape: a.shape, values: zip(a.values, b.values).map(body))
  }
  let shape = zip(a.shape, b.shape).map { max($0, $1) }
  func at(_ t: Numbers, _ n: Int, _ c: Int, _ y: Int, _ x: Int) -> Float {
    t[
      t.shape[0] == 1 ? 0 : n, t.shape[1] == 1 ? 0 : c, t.shape[2] == 1 ? 0 : y,
      t.shape[3] == 1 ? 0 : x]
  }
  return make(shape) { body(at(a, $0, $1, $2, $3), at(b, $0, $1, $2, $3)) }
}

func take(_ x: Numbers, _ channels: [Int]) -> Numbers {
  let size = plane(x)
  var result = x
  result.shape[1] = channels.count
  result.values = (0..<x.shape[0]).flatMap { n in
    channels.flatMap { c in
      let start = (n * x.shape[1] + c) * size
      return x.values[start..<start + size]
    }
  }
  return result
}

func concatenate(_ parts: [Numbers]) -> Numbers {
  var result = parts[0]
  result.shape[1] = parts.reduce(0) { $0 + $1.shape[1] }
  result.values = (0..<result.shape[0]).flatMap { n in
    parts.flatMap { part in
      let size = part.shape[1] * plane(part)
      return part.values[n * size..<(n + 1) * size]
    }
  }
  return result
}

func slice(_ x: Numbers, starts: [Int], ends: [Int], axes: [Int]) -> Numbers {
  if x.shape.count == 2 { return take(x, Array(starts[0]..<ends[0])) }
  var first = [0, 0, 0, 0]
  var shape = x.shape
  for (axis, (start, end)) in zip(axes, zip(starts, ends)) {
    first[axis] = start
    shape[axis] = min(end, x.shape[axis]) - start
  }
  return make(shape) { x[$0 + first[0], $1 + first[1], $2 + first[2], $3 + first[3]] }
}

func pad(_ x: Numbers, _ pads: [Int]) -> Numbers {
  let shape = (0..<4).map { x.shape[$0] + pads[$0] + pads[$0 + 4] }
  return make(shape) { n, c, row, column in
    let y = row - pads[2], z = column - pads[3]
    return y < 0 || z < 0 || y >= x.shape[2] || z >= x.shape[3] ? 0 : x[n, c, y, z]
  }
}

func spaceToDepth(_ x: Numbers, _ r: Int) -> Numbers {
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  return make([x.shape[0], channels * r * r, height / r, width / r]) { n, c, row, column in
    let phase = c / channels
    return x[n, c % channels, row * r + phase / r, column * r + phase % r]
  }
}

func depthToSpace(_ x: Numbers, _ r: Int) -> Numbers {
  let channels = x.shape[1] / (r * r)
  return make([x.shape[0], channels, x.shape[2] * r, x.shape[3] * r]) { n, c, row, column in
    x[n, (row % r * r + column % r) * channels + c, row / r, column / r]
  }
}

func convolve(
  _ x: Numbers, _ weight: Numbers, bias: Numbers?, strides: [Int], pads: [Int], dilations: [Int],
  groups: Int
) -> Numbers {
  func size(_ axis: Int) -> Int {
    let span = dilations[axis] * (weight.shape[2 + axis] - 1) + 1
    return (x.shape[2 + axis] + pads[axis] + pads[axis + 2] - span) / strides[axis] + 1
  }
  let perGroup = weight.shape[0] / groups
  return make([x.shape[0], weight.shape[0], size(0), size(1)]) { n, c, row, column in
    var sum = Double(bias?.values[c] ?? 0)
    for i in 0..<weight.shape[1] {
      for u in 0..<weight.shape[2] {
        for v in 0..<weight.shape[3] {
          let y = row * strides[0] - pads[0] + u * dilations[0]
          let z = column * strides[1] - pads[1] + v * dilations[1]
          guard y >= 0, z >= 0, y < x.shape[2], z < x.shape[3] else { continue }
          sum += Double(x[n, c / perGroup * weight.shape[1] + i, y, z] * weight[c, i, u, v])
        }
      }
    }
    return Float(sum)
  }
}

func normalize(_ x: Numbers, _ tensors: [Numbers], epsilon: Float) -> Numbers {
  let size = plane(x)
  var result = x
  for index in x.values.indices {
    let c = index / size % x.shape[1]
    let deviation = (tensors[3].values[c] + epsilon).squareRoot()
    result.values[index] =
      (x.values[index] - tensors[2].values[c]) / deviation * tensors[0].values[c]
      + tensors[1].values[c]
  }
  return result
}

func pool(
  _ x: Numbers, isMaximum: Bool, kernel: [Int], strides: [Int], pads: [Int], countsPadding: Bool
) -> Numbers {
  let pads = pads.isEmpty ? [0, 0, 0, 0] : pads
  func size(_ axis: Int) -> Int {
    (x.shape[2 + axis] + pads[axis] + pads[axis + 2] - kernel[axis]) / strides[axis] + 1
  }
  return make([x.shape[0], x.shape[1], size(0), size(1)]) { n, c, row, column in
    var inside: [Float] = []
    for u in 0..<kernel[0] {
      for v in 0..<kernel[1] {
        let y = row * strides[0] - pads[0] + u, z = column * strides[1] - pads[1] + v
        if y >= 0, z >= 0, y < x.shape[2], z < x.shape[3] { inside.append(x[n, c, y, z]) }
      }
    }
    if isMaximum { return inside.max() ?? -.infinity }
    return inside.reduce(0, +) / Float(countsPadding ? kernel[0] * kernel[1] : inside.count)
  }
}

func linear(_ x: Numbers, _ weight: Numbers, _ bias: Numbers?) -> Numbers {
  let (rows, columns) = (weight.shape[0], weight.shape[1])
  return Numbers(
    shape: [x.shape[0], rows],
    values: (0..<x.shape[0]).flatMap { n in
      (0..<rows).map { row in
        (0..<columns).reduce(bias?.values[row] ?? 0) {
          $0 + x.values[n * columns + $1] * weight.values[row * columns + $1]
        }
      }
    })
}

/// The product of a matrix with each plane, from the left or from the right.
func multiply(_ a: Numbers, _ b: Numbers) -> Numbers {
  if a.shape.count == 2 {
    return make([b.shape[0], b.shape[1], a.shape[0], b.shape[3]]) { n, c, row, column in
      (0..<a.shape[1]).reduce(0) { $0 + a.values[row * a.shape[1] + $1] * b[n, c, $1, column] }
    }
  }
  return make([a.shape[0], a.shape[1], a.shape[2], b.shape[1]]) { n, c, row, column in
    (0..<b.shape[0]).reduce(0) { $0 + a[n, c, row, $1] * b.values[$1 * b.shape[1] + column] }
  }
}
