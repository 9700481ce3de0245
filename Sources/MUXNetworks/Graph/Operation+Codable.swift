// SPDX-License-Identifier: Apache-2.0

/// An operation is written flat: its `type`, then its settings beside it.
extension Operation: Codable {
  private enum Key: String, CodingKey {
    case type, function, groups, rate
  }

  /// Reads an operation.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let type = try container.decode(String.self, forKey: .type)
    switch type {
    case "convolution": self = .convolution(try Convolution(from: decoder))
    case "branchedConvolution": self = .branchedConvolution(try BranchedConvolution(from: decoder))
    case "batchNormalization": self = .batchNormalization(try BatchNormalization(from: decoder))
    case "l2Normalization": self = .l2Normalization(try L2Normalization(from: decoder))
    case "activation":
      self = .activation(try container.decode(Activation.self, forKey: .function))
    case "linear": self = .linear(try Linear(from: decoder))
    case "add": self = .add
    case "multiply": self = .multiply
    case "concatenate": self = .concatenate
    case "slice": self = .slice(try ChannelSlice(from: decoder))
    case "channelShuffle":
      self = .channelShuffle(groups: try container.decode(Int.self, forKey: .groups))
    case "pool": self = .pool(try Pooling(from: decoder))
    case "globalAveragePool": self = .globalAveragePool
    case "adaptiveAveragePool":
      self = .adaptiveAveragePool(try ImageSize(from: decoder))
    case "pad": self = .pad(try ImagePadding(from: decoder))
    case "flatten": self = .flatten
    case "dropout": self = .dropout(rate: try container.decode(Double.self, forKey: .rate))
    case "dropPath": self = .dropPath(rate: try container.decode(Double.self, forKey: .rate))
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .type, in: container, debugDescription: "unknown operation '\(type)'")
    }
  }

  /// Writes an operation.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(type, forKey: .type)
    switch self {
    case .convolution(let value): try value.encode(to: encoder)
    case .branchedConvolution(let value): try value.encode(to: encoder)
    case .batchNormalization(let value): try value.encode(to: encoder)
    case .l2Normalization(let value): try value.encode(to: encoder)
    case .activation(let value): try container.encode(value, forKey: .function)
    case .linear(let value): try value.encode(to: encoder)
    case .slice(let value): try value.encode(to: encoder)
    case .channelShuffle(let groups): try container.encode(groups, forKey: .groups)
    case .pool(let value): try value.encode(to: encoder)
    case .adaptiveAveragePool(let size): try size.encode(to: encoder)
    case .pad(let value): try value.encode(to: encoder)
    case .dropout(let rate), .dropPath(let rate): try container.encode(rate, forKey: .rate)
    case .add, .multiply, .concatenate, .globalAveragePool, .flatten: break
    }
  }
}
