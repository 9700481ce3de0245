// SPDX-License-Identifier: Apache-2.0

/// The lower triangle L of K = L Lᵀ, which grows by a row for each sample.
struct CholeskyFactor: Sendable {
  /// Row after row, each up to its diagonal.
  private var values: [Double] = []
  private(set) var count = 0

  /// The diagonal of the last row.
  var lastDiagonal: Double { values[values.count - 1] }

  private static func start(_ row: Int) -> Int { row * (row + 1) / 2 }

  /// Adds a row and column of K: what it has with those before, and its diagonal. Gives the new row of L
  /// without its diagonal.
  @discardableResult
  mutating func append(_ row: [Double], diagonal: Double) -> [Double] {
    let solved = solution(row)
    let rest = diagonal - solved.reduce(0) { $0 + $1 * $1 }
    values += solved
    // Genomes that are alike but for rounding leave nothing; the noise keeps that above 0.
    values.append(max(rest, 1e-10).squareRoot())
    count += 1
    return solved
  }

  /// L⁻¹ x.
  func solution(_ vector: [Double]) -> [Double] {
    var solved = vector
    solved.withUnsafeMutableBufferPointer { solved in
      values.withUnsafeBufferPointer { values in
        guard let own = solved.baseAddress, let rows = values.baseAddress else { return }
        for index in 0..<count {
          let row = rows + Self.start(index)
          own[index] = (own[index] - dotProduct(row, own, index)) / row[index]
        }
      }
    }
    return solved
  }

  /// L⁻ᵀ x.
  func transposedSolution(_ vector: [Double]) -> [Double] {
    var solved = vector
    solved.withUnsafeMutableBufferPointer { solved in
      values.withUnsafeBufferPointer { values in
        for index in stride(from: count - 1, through: 0, by: -1) {
          let start = Self.start(index)
          let value = solved[index] / values[start + index]
          solved[index] = value
          for place in 0..<index { solved[place] -= values[start + place] * value }
        }
      }
    }
    return solved
  }

  /// K⁻¹ as a square, of which only the lower triangle is filled.
  func inverse() -> [Double] {
    // Columns of L⁻¹, below their diagonal.
    var inverted = [Double](repeating: 0, count: count * count)
    var result = inverted
    values.withUnsafeBufferPointer { values in
      inverted.withUnsafeMutableBufferPointer { inverted in
        guard let rows = values.baseAddress, let columns = inverted.baseAddress else { return }
        for column in 0..<count {
          let own = columns + column * count
          own[column] = 1 / rows[Self.start(column) + column]
          for row in column + 1..<max(count, column + 1) {
            let start = rows + Self.start(row)
            own[row] = -dotProduct(start + column, own + column, row - column) / start[row]
          }
        }
        result.withUnsafeMutableBufferPointer { result in
          for row in 0..<count {
            for column in 0...row {
              result[row * count + column] = dotProduct(
                columns + row * count + row, columns + column * count + row, count - row)
            }
          }
        }
      }
    }
    return result
  }
}
