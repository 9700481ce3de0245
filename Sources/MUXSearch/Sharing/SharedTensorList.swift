// SPDX-License-Identifier: Apache-2.0
import MUXNetworks

/// Shared tensors, each as large as the largest part of it.
struct SharedTensorList {
  private(set) var tensors: [SharedTensor] = []
  private var places: [String: Int] = [:]

  /// Adds what each of some parameters takes.
  mutating func add<Place>(
    _ slice: (PlacedParameter<Place>) -> SharedSlice, of parameters: [PlacedParameter<Place>]
  ) {
    for placed in parameters {
      let (part, parameter) = (slice(placed), placed.specification)
      var shape = parameter.shape
      if !shape.isEmpty { shape[0] = (part.rows.max() ?? 0) + 1 }
      if let columns = part.columns { shape[1] = (columns.max() ?? 0) + 1 }
      if let place = places[part.tensor] {
        shape = zip(shape, tensors[place].shape).map(max)
      } else {
        places[part.tensor] = tensors.count
        tensors.append(
          SharedTensor(name: part.tensor, role: parameter.role, shape: shape, groups: 1))
      }
      let place = places[part.tensor] ?? 0
      tensors[place].shape = shape
      // What is not dense has one group for each of its rows' groups.
      if parameter.groups > 1, shape.count == 4 {
        tensors[place].groups = max(1, shape[0] / max(1, parameter.shape[0] / parameter.groups))
      }
    }
  }
}
