import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type BoardStyle, renderBoard } from '../../../src/localnet/board/scoreboard.js'
import { composeSnapshot } from '../../../src/localnet/board/snapshot.js'
import { accused, addresses, cast, caught, snapshotOf, verified } from './subnet.js'

const PIPED: BoardStyle = { borders: false, colors: false, columns: undefined }

describe('renderBoard', () => {
  const snapshot = snapshotOf([verified, caught], [{ uid: 1, weightU16: 65535 }], 1)

  it('shows the block, the countdown and each miner with its last verdict and weight on chain', () => {
    const board = renderBoard(snapshot, PIPED)
    expect(board).toContain('block 31 · next weights in 29 blocks · epochs done: 1 · rounds: 4')
    expect(board).toMatch(/1\s+honest-fast\s+small-a\s+3\s+0\s+verified\s+clean\s+158\.2\s+157\.1\s+65535/)
    expect(board).toMatch(
      /5\s+cheat-other-model\s+small-a\s+0\s+3\s+failed: UNLIKELY_TOKENS\s+clean\s+0\.0\s+0\.0\s+0/,
    )
  })

  it('puts the highest weight first and draws no lines when piped', () => {
    const rows = renderBoard(snapshot, PIPED).split('\n')
    expect(rows.findIndex((row) => row.includes('honest-fast'))).toBeLessThan(
      rows.findIndex((row) => row.includes('honest-slow')),
    )
    expect(rows.join('')).not.toMatch(/[│─┌]/)
    expect(renderBoard(snapshot, { ...PIPED, borders: true })).toMatch(/[│─┌]/)
  })

  it('shows in a second line how the users of a hub fare and who answers them', () => {
    const hub = { answered: 9, failed: 1, tokens: 500, kept: 8, byMiner: { 2: 3, 1: 6 }, lastFailure: 'x' }
    const line = 'users: 9 answered, 1 failed · kept for the validator: 8 · honest-fast 6, honest-medium 3'
    const board = renderBoard({ ...snapshot, hub }, PIPED)
    expect(board.split('\n')[1]).toBe(line)
    const narrow = renderBoard({ ...snapshot, hub }, { ...PIPED, columns: 60 })
    expect(narrow.split('\n')[1]).toBe(line.slice(0, 60))
    expect(renderBoard({ ...snapshot, hub: { ...hub, byMiner: {} } }, PIPED).split('\n')[1]).toMatch(/: 8$/)
    expect(renderBoard(snapshot, PIPED)).not.toContain('users')
  })

  it('says that the validator is starting until it has answered', () => {
    const early = composeSnapshot({ block: 3, epochs: 0, addresses, cast, status: undefined, weights: [] })
    expect(renderBoard(early, PIPED)).toContain('validator starting')
  })

  it.each([
    [140, ['models', 'tok/s', 'score', 'failed: UNLIKELY_TOKENS']],
    [121, ['models', 'tok/s', 'score', 'failed: UNLIKELY_TOKENS']],
    [100, ['tok/s', 'score', 'UNLIKELY_TOKENS']],
    [80, ['verified', 'UNLIKELY_TOKENS']],
    [60, ['UNLIKELY_TOKENS']],
    [20, ['honest-fast']],
  ])('fits %i columns and %j', (columns, shown) => {
    const long = { ...caught, models: Array.from({ length: 9 }, (_, index) => `org/a-long-name-${index}`) }
    const wide = snapshotOf([verified, long], [{ uid: 1, weightU16: 65535 }], 1)
    const board = renderBoard(wide, { borders: true, colors: true, columns })
    const lines = stripVTControlCharacters(board).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
    expect(lines.length).toBeLessThan(24)
    for (const text of shown) expect(lines.join('\n')).toContain(text)
    expect(lines[0]).toBe(
      'block 31 · next weights in 29 blocks · epochs done: 1 · rounds: 4'.slice(0, columns),
    )
  })

  it.each([
    [140, 'barred', /cheat-int4 .* verified +│ barred +│/],
    [121, 'barred', /cheat-int4 .* evidence: barred +│/],
    [80, 'suspected', /cheat-int4 .* evidence: suspected +│/],
    [60, 'barred', /cheat-int4 +│ evidence: barred +│/],
  ] as const)('shows in %i columns that evidence has a miner %s', (columns, level, shown) => {
    const board = renderBoard(snapshotOf([verified, accused(level)]), {
      borders: true,
      colors: false,
      columns,
    })
    expect(board).toMatch(shown)
    expect(board.match(/suspected|barred/g)).toHaveLength(1)
  })

  it('keeps its width when verdicts change', () => {
    const width = (rows: Parameters<typeof snapshotOf>[0]) =>
      renderBoard(snapshotOf(rows), { borders: true, colors: false, columns: 140 }).split('\n')[1]?.length
    expect(width([verified])).toBe(width([verified, caught]))
  })

  it('colours verdicts only when asked to', () => {
    const board = renderBoard(snapshot, { borders: true, colors: true, columns: 140 })
    expect(board).toContain('\u001b[32mverified')
    expect(board).toContain('\u001b[31mfailed: UNLIKELY_TOKENS')
    expect(renderBoard(snapshot, { borders: true, colors: false, columns: 140 })).not.toContain('\u001b')
  })
})
