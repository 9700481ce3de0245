// SPDX-License-Identifier: Apache-2.0

/// One tensor of a network's state: a learnable parameter, or a statistic of a batch norm.
public struct ParameterSpecification: Sendable, Hashable {
  /// What a tensor is in its layer.
  public typealias Role = ParameterRole

  /// The name in the state dict, such as `blocks.2.0.conv_pw.weight`.
  public var name: String
  /// The shape; empty for a scalar.
  public var shape: [Int]
  /// What the tensor is in its layer.
  public var role: ParameterRole
  /// The position of its node in ``Network/nodes``.
  public var node: Int
  /// The branch of a ``BranchedConvolution``, nil elsewhere.
  public var branch: Int?
  /// The groups of the convolution, 1 elsewhere.
  public var groups: Int

  /// A tensor of these properties.
  package init(
    name: String, shape: [Int], role: ParameterRole, node: Int, branch: Int? = nil, groups: Int = 1
  ) {
    self.name = name
    self.shape = shape
    self.role = role
    self.node = node
    self.branch = branch
    self.groups = groups
  }

  /// Whether the optimizer changes it.
  public var isLearnable: Bool {
    role.isLearnable
  }

  /// The number of scalars.
  public var count: Int { shape.reduce(1, *) }
}

extension Network {
  /// All tensors of the state in the order of PyTorch's state dict.
  public var parameters: [ParameterSpecification] {
    nodes.indices.flatMap { nodes[$0].parameters(at: $0) }
  }

  /// The number of learnable scalars.
  public var parameterCount: Int {
    parameters.reduce(0) { $0 + ($1.isLearnable ? $1.count : 0) }
  }
}

extension Node {
  func parameters(at index: Int) -> [ParameterSpecification] {
    operation.rules.parameters.map {
      ParameterSpecification(
        name: "\(name).\($0.suffix)", shape: $0.shape, role: $0.role, node: index,
        branch: $0.branch, groups: $0.groups)
    }
  }
}
