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
    var solved = row
    var rest = diagonal
    solved.withUnsafeMutableBufferPointer { solved in
      values.withUnsafeBufferPointer { values in
        for index in 0..<count {
          let start = Self.start(index)
          var sum = solved[index]
          for place in 0..<index { sum -= values[start + place] * solved[place] }
          sum /= values[start + index]
          solved[index] = sum
          rest -= sum * sum
        }
      }
    }
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
        for index in 0..<count {
          let start = Self.start(index)
          var sum = solved[index]
          for place in 0..<index { sum -= values[start + place] * solved[place] }
          solved[index] = sum / values[start + index]
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
        for column in 0..<count {
          let own = column * count
          inverted[own + column] = 1 / values[Self.start(column) + column]
          for row in column + 1..<max(count, column + 1) {
            let start = Self.start(row)
            var sum = 0.0
            for place in column..<row { sum += values[start + place] * inverted[own + place] }
            inverted[own + row] = -sum / values[start + row]
          }
        }
        result.withUnsafeMutableBufferPointer { result in
          for row in 0..<count {
            for column in 0...row {
              var sum = 0.0
              for place in row..<count {
                sum += inverted[row * count + place] * inverted[column * count + place]
              }
              result[row * count + column] = sum
            }
          }
        }
      }
    }
    return result
  }
}
