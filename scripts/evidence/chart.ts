/** A scale from values to pixels. */
export interface Scale {
  at(value: number): number
  readonly ticks: readonly { readonly value: number; readonly label: string }[]
}

export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  ticks: readonly number[],
  label: (value: number) => string = String,
): Scale {
  const [low, high] = domain
  const [from, to] = range
  return {
    at: (value) => from + ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (to - from),
    ticks: ticks.map((value) => ({ value, label: label(value) })),
  }
}

export function logScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  ticks: readonly number[],
  label: (value: number) => string = (value) => value.toLocaleString('en-US'),
): Scale {
  const [low, high] = domain
  const inner = linearScale([Math.log(low), Math.log(high)], range, [])
  return {
    at: (value) => inner.at(Math.log(Math.max(low, value))),
    ticks: ticks.map((value) => ({ value, label: label(value) })),
  }
}

/** Distinguishable with every common colour blindness (Okabe and Ito, 2008). */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#555555'] as const

export interface Frame {
  readonly width: number
  readonly height: number
  readonly x: Scale
  readonly y: Scale
  /** Pixels of the plot's left, top, right and bottom edge. */
  readonly box: readonly [number, number, number, number]
  readonly xLabel: string
  readonly yLabel: string
  /** For readers that cannot see it. */
  readonly title: string
}

/** A picture with axes; `parts` are drawn on top. White, so that it reads on any page. */
export function drawChart(frame: Frame, parts: readonly string[]): string {
  const { width, height, x, y, box, xLabel, yLabel, title } = frame
  const [left, top, right, bottom] = box
  const grid = [
    ...x.ticks.map(({ value, label }) => {
      const at = x.at(value).toFixed(1)
      return `<path d="M${at} ${top}V${bottom}" stroke="#ddd"/>${text(x.at(value), bottom + 16, label, 'middle')}`
    }),
    ...y.ticks.map(({ value, label }) => {
      const at = y.at(value)
      return `<path d="M${left} ${at.toFixed(1)}H${right}" stroke="#ddd"/>${text(left - 6, at + 4, label, 'end')}`
    }),
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    '<rect width="100%" height="100%" rx="6" fill="#fff"/>',
    '<g font-family="system-ui, sans-serif" font-size="12" fill="#222" stroke-width="1">',
    ...grid,
    text((left + right) / 2, bottom + 36, xLabel, 'middle'),
    ...(yLabel === '' ? [] : [text(left - 6, top - 10, yLabel, 'start')]),
    ...parts,
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

export function text(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  fill = '#222',
): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${fill}" stroke="none">${escaped(content)}</text>`
}

export function line(points: readonly (readonly [number, number])[], colour: string, dash = ''): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`)
  return `<path d="${path.join('')}" fill="none" stroke="${colour}" stroke-width="2"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}/>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
