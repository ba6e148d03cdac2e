/**
 * The slope of a straight line through points, as the median of the slopes between all pairs of points (Theil and Sen): a few
 * outliers change nothing. NaN with fewer than two points.
 */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points
    .flatMap(([x, y], index) =>
      points.slice(index + 1).map(([otherX, otherY]) => (otherY - y) / (otherX - x)),
    )
    .sort((a, b) => a - b)
  const middle = slopes.length / 2
  const lower = slopes[Math.ceil(middle) - 1] ?? Number.NaN
  return (lower + (slopes[Math.floor(middle)] ?? Number.NaN)) / 2
}
