import { expect, it } from 'vitest'
import type { QueryReply } from '../../../src/roles/query/index.js'
import { compareReplies } from '../../../src/roles/query/report.js'

function reply(uid: number, text: string, tokensPerSecond: number): QueryReply {
  const timing = { timeToFirstTokenMs: 100, timeForAllTokensMs: 1, totalMs: 1 }
  const answer = { text, tokens: [], timing, tokensPerSecond, status: 200, fault: undefined }
  return {
    miner: { uid, hotkey: `5Hot${uid}`, url: '' },
    answer,
    verdict: undefined,
  } as unknown as QueryReply
}

it('compares the beginnings of the answers with the one that most agree with', () => {
  const [head, ...rows] = compareReplies([
    reply(1, 'The sea is wide and deep.', 10),
    reply(2, 'Der See.', 50),
    reply(3, 'The sea is wide\nand old.', 20),
    reply(4, '', 0),
  ])
  const [same, answer] = [head?.indexOf('same start') ?? -1, head?.indexOf('answer') ?? -1]
  expect(rows.map((row) => [row[0], row[same], row[answer]])).toEqual([
    ['2', '0 of 8', '"Der See."'],
    ['3', '24 of 24', '"The sea is wide and old."'],
    ['1', '15 of 25', '"The sea is wide and deep."'],
    ['4', '0 of 0', '-'],
  ])
})

it('shows only the beginning of a long answer', () => {
  const [, row] = compareReplies([reply(1, 'x'.repeat(100), 1)])
  expect(row).toContain(`"${'x'.repeat(39)}…"`)
})
