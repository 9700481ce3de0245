// SPDX-License-Identifier: Apache-2.0
import Foundation
import MUXNetworks
import MUXWeights

/// Runs a network node by node, straight from the operations' definitions, in double precision:
/// what the runtime is tested against. Shares no code with it.
struct SlowInterpreter {
  struct Tensor {
    var channels: Int
    var height: Int
    var width: Int
    var values: [Double]

    init(_ channels: Int, _ height: Int, _ width: Int) {
      (self.channels, self.height, self.width) = (channels, height, width)
      values = Array(repeating: 0, count: channels * height * width)
    }

    /// Zero outside of the image.
    subscript(c: Int, y: Int, x: Int) -> Double {
      get {
        y >= 0 && y < height && x >= 0 && x < width ? values[(c * height + y) * width + x] : 0
      }
      set { values[(c * height + y) * width + x] = newValue }
    }
  }

  let network: Network
  let weights: TensorArchive

  func run(_ pixels: [Float], height: Int, width: Int) -> [Float] {
    var input = Tensor(network.inputChannels, height, width)
    input.values = pixels.map(Double.init)
    var values: [Tensor] = []
    for (index, node) in network.nodes.enumerated() {
      values.append(
        apply(node, network.inputIndices[index].map { $0 < 0 ? input : values[$0] }))
    }
    return values[values.count - 1].values.map(Float.init)
  }

  private func tensor(_ name: String) -> [Double] {
    (weights[name]?.floats ?? []).map(Double.init)
  }

  private func apply(_ node: Node, _ inputs: [Tensor]) -> Tensor {
    let x = inputs[0]
    switch node.operation {
    case .convolution(let convolution): return convolve(x, convolution, node.name)
    case .branchedConvolution(let branched): return branches(x, branched, node.name)
    case .batchNormalization(let norm):
      let (weight, bias) = (tensor("\(node.name).weight"), tensor("\(node.name).bias"))
      let mean = tensor("\(node.name).running_mean")
      let variance = tensor("\(node.name).running_var")
      return map(x) { c, value in
        (value - mean[c]) / (variance[c] + norm.epsilon).squareRoot() * weight[c] + bias[c]
      }
    case .activation(let activation): return map(x) { activate($1, activation) }
    case .linear(let linear):
      let weight = tensor("\(node.name).weight")
      var out = Tensor(linear.outputFeatures, 1, 1)
      let bias = linear.hasBias ? tensor("\(node.name).bias") : []
      for o in 0..<linear.outputFeatures {
        var sum = bias.isEmpty ? 0 : bias[o]
        for i in 0..<linear.inputFeatures {
          sum += weight[o * linear.inputFeatures + i] * x.values[i]
        }
        out.values[o] = sum
      }
      return out
    case .add:
      var out = x
      for i in out.values.indices { out.values[i] += inputs[1].values[i] }
      return out
    case .multiply:
      let gate = inputs[1]
      var out = x
      for i in out.values.indices {
        let isGate = gate.values.count == x.channels
        out.values[i] *= isGate ? gate.values[i / (x.height * x.width)] : gate.values[i]
      }
      return out
    case .concatenate:
      var out = Tensor(0, x.height, x.width)
      for input in inputs {
        out.channels += input.channels
        out.values += input.values
      }
      return out
    case .slice(let slice):
      var out = Tensor(slice.count, x.height, x.width)
      let plane = x.height * x.width
      out.values = Array(x.values[slice.start * plane..<(slice.start + slice.count) * plane])
      return out
    case .channelShuffle(let groups):
      var out = x
      let width = x.channels / groups, plane = x.height * x.width
      for i in 0..<width {
        for j in 0..<groups {
          for p in 0..<plane {
            out.values[(i * groups + j) * plane + p] = x.values[(j * width + i) * plane + p]
          }
        }
      }
      return out
    case .l2Normalization(let norm):
      var out = x
      let plane = x.height * x.width
      let scale = tensor("\(node.name).scale_weight")
      for p in 0..<plane {
        var sum = 0.0
        for c in 0..<x.channels { sum += x.values[c * plane + p] * x.values[c * plane + p] }
        let length = sum.squareRoot()
        for c in 0..<x.channels {
          out.values[c * plane + p] *= scale[c] / max(length, norm.epsilon)
        }
      }
      return out
    case .pool(let pool): return self.pool(x, pool)
    case .globalAveragePool:
      var out = Tensor(x.channels, 1, 1)
      let plane = x.height * x.width
      for c in 0..<x.channels {
        out.values[c] = x.values[c * plane..<(c + 1) * plane].reduce(0, +) / Double(plane)
      }
      return out
    case .adaptiveAveragePool(let size):
      var out = Tensor(x.channels, size.height, size.width)
      func window(_ index: Int, _ count: Int, _ length: Int) -> Range<Int> {
        let end = (Double((index + 1) * length) / Double(count)).rounded(.up)
        return index * length / count..<Int(end)
      }
      for c in 0..<x.channels {
        for y in 0..<size.height {
          for column in 0..<size.width {
            let rows = window(y, size.height, x.height)
            let columns = window(column, size.width, x.width)
            let values = rows.flatMap { row in columns.map { x[c, row, $0] } }
            out[c, y, column] = values.reduce(0, +) / Double(values.count)
          }
        }
      }
      return out
    case .pad(let padding):
      var out = Tensor(
        x.channels, x.height + padding.top + padding.bottom,
        x.width + padding.left + padding.right)
      for c in 0..<out.channels {
        for y in 0..<out.height {
          for column in 0..<out.width {
            out[c, y, column] = x[c, y - padding.top, column - padding.left]
          }
        }
      }
      return out
    case .flatten:
      var out = Tensor(x.values.count, 1, 1)
      out.values = x.values
      return out
    case .dropout, .dropPath: return x
    }
  }

  private func map(_ x: Tensor, _ body: (Int, Double) -> Double) -> Tensor {
    var out = x
    for i in out.values.indices { out.values[i] = body(i / (x.height * x.width), x.values[i]) }
    return out
  }

  private func activate(_ x: Double, _ activation: Activation) -> Double {
    switch activation.kind {
    case .identity: x
    case .relu: max(x, 0)
    case .relu6: min(max(x, 0), 6)
    case .swish: x / (1 + exp(-x))
    case .hardSwish: x * min(max(x + 3, 0), 6) / 6
    case .sigmoid: 1 / (1 + exp(-x))
    case .hardSigmoid: min(max(activation.alpha * x + activation.beta, 0), 1)
    }
  }

  private func convolve(_ x: Tensor, _ s: Convolution, _ name: String) -> Tensor {
    let weight = tensor("\(name).weight")
    let bias = s.hasBias ? tensor("\(name).bias") : []
    let reach = s.dilation * (s.kernelSize - 1) + 1
    /// Output positions of so many positions, and the zeros before the first.
    func grid(_ size: Int) -> (count: Int, before: Int) {
      guard s.paddingRule == .same else {
        return ((size + 2 * s.padding - reach) / s.stride + 1, s.padding)
      }
      let count = Int((Double(size) / Double(s.stride)).rounded(.up))
      return (count, max(0, (count - 1) * s.stride + reach - size) / 2)
    }
    let (rows, columns) = (grid(x.height), grid(x.width))
    var out = Tensor(s.outputChannels, rows.count, columns.count)
    let inner = s.inputChannels / s.groups, outer = s.outputChannels / s.groups
    for o in 0..<s.outputChannels {
      for y in 0..<out.height {
        for column in 0..<out.width {
          var sum = bias.isEmpty ? 0 : bias[o]
          for i in 0..<inner {
            for ky in 0..<s.kernelSize {
              for kx in 0..<s.kernelSize {
                let row = y * s.stride - rows.before + ky * s.dilation
                let at = column * s.stride - columns.before + kx * s.dilation
                sum +=
                  weight[((o * inner + i) * s.kernelSize + ky) * s.kernelSize + kx]
                  * x[o / outer * inner + i, row, at]
              }
            }
          }
          out[o, y, column] = sum
        }
      }
    }
    return out
  }

  private func branches(_ x: Tensor, _ branched: BranchedConvolution, _ name: String) -> Tensor {
    var result: Tensor?
    var first = 0
    for branch in branched.branches {
      var slice = Tensor(branch.inputChannels, x.height, x.width)
      let plane = x.height * x.width
      slice.values = Array(x.values[first * plane..<(first + branch.inputChannels) * plane])
      first += branch.inputChannels
      let r = branch.factor
      var out: Tensor
      switch branch.multiplexing {
      case .none: out = convolve(slice, branch.convolution, "\(name).\(branch.name)")
      case .subpixel:
        let coarse = toChannels(slice, r)
        let moved = convolve(coarse, branch.convolution, "\(name).\(branch.name)")
        out = toSpace(moved, r, height: x.height, width: x.width)
      case .superpixel:
        let fine = toSpace(slice, r, height: x.height * r, width: x.width * r)
        let moved = convolve(fine, branch.convolution, "\(name).\(branch.name)")
        out = toChannels(moved, r)
      }
      if let before = result {
        out.channels += before.channels
        out.values = before.values + out.values
      }
      result = out
    }
    return result ?? x
  }

  private func toChannels(_ x: Tensor, _ r: Int) -> Tensor {
    var out = Tensor(x.channels * r * r, (x.height + r - 1) / r, (x.width + r - 1) / r)
    for c in 0..<out.channels {
      let phase = c / x.channels
      for y in 0..<out.height {
        for column in 0..<out.width {
          out[c, y, column] = x[c % x.channels, y * r + phase / r, column * r + phase % r]
        }
      }
    }
    return out
  }

  private func toSpace(_ x: Tensor, _ r: Int, height: Int, width: Int) -> Tensor {
    var out = Tensor(x.channels / (r * r), height, width)
    for c in 0..<out.channels {
      for y in 0..<height {
        for column in 0..<width {
          out[c, y, column] = x[(y % r * r + column % r) * out.channels + c, y / r, column / r]
        }
      }
    }
    return out
  }

  private func pool(_ x: Tensor, _ s: Pooling) -> Tensor {
    func size(_ size: Int) -> Int {
      // Windows are counted one by one: each that fits, and one more that still meets the image.
      var count = 0
      while count * s.stride + s.kernelSize <= size + 2 * s.padding { count += 1 }
      let isCovered = count > 0 && (count - 1) * s.stride + s.kernelSize == size + 2 * s.padding
      return s.ceilMode && !isCovered && count * s.stride < size + s.padding ? count + 1 : count
    }
    var out = Tensor(x.channels, size(x.height), size(x.width))
    for c in 0..<x.channels {
      for y in 0..<out.height {
        for column in 0..<out.width {
          var best = -Double.infinity, sum = 0.0, seen = 0.0
          for ky in 0..<s.kernelSize {
            for kx in 0..<s.kernelSize {
              let row = y * s.stride - s.padding + ky, at = column * s.stride - s.padding + kx
              guard row >= 0, row < x.height, at >= 0, at < x.width else { continue }
              best = max(best, x[c, row, at])
              sum += x[c, row, at]
              seen += 1
            }
          }
          let area = s.countsPadding ? Double(s.kernelSize * s.kernelSize) : max(seen, 1)
          out[c, y, column] = s.kind == .maximum ? best : sum / area
        }
      }
    }
    return out
  }
}
