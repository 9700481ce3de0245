// SPDX-License-Identifier: Apache-2.0

/// Which default boxes teach what background is: of the very many, those that look least like it.
public enum HardNegatives {
  /// The negatives that are kept for each positive.
  public static let usualRatio = 3

  /// Chooses the negatives of one image.
  ///
  /// - Parameters:
  ///   - losses: −log of the background's probability, for each default box.
  ///   - isPositive: Whether the default box has an object.
  ///   - ratio: How many negatives are kept for each positive, as far as there are any. An image without
  ///     objects teaches nothing.
  /// - Returns: Whether a default box is among them. Of equal losses the first ones are kept; a loss that
  ///   is not a number comes last.
  public static func chosen(
    losses: [Float], isPositive: [Bool], ratio: Int = usualRatio
  ) -> [Bool] {
    precondition(losses.count == isPositive.count, "a loss for each default box")
    var chosen = [Bool](repeating: false, count: losses.count)
    let wanted = ratio * isPositive.count { $0 }
    guard wanted > 0 else { return chosen }
    let negatives = losses.indices.filter { !isPositive[$0] }
    func rank(_ index: Int) -> Float { losses[index].isNaN ? -.infinity : losses[index] }
    let order =
      wanted >= negatives.count
      ? negatives
      : negatives.sorted { rank($0) != rank($1) ? rank($0) > rank($1) : $0 < $1 }
    for index in order.prefix(wanted) { chosen[index] = true }
    return chosen
  }
}
