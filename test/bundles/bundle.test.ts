import { deflateRawSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { packAnswer, unpackAnswer } from '../../src/bundles/columns.js'
import {
  decodeBundle,
  type EvidenceBundle,
  encodeBundle,
  type KeptAnswer,
  keepAnswer,
  replayAnswers as replay,
} from '../../src/bundles/index.js'
import { type AnswerSource, EvidenceBook, noiseLevels, observe } from '../../src/evidence/index.js'
import type { Signer } from '../../src/wallet/index.js'
import { greedyAnswer, strictlyJudged } from '../roles/validator/evidence/evidence-parts.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { ManualClock } from '../support/manual-clock.js'

const [MINER, MODEL] = ['5Miner', 'org/model']
const RULES = { threshold: 1e10, cleanAnswers: 10 }
let signer: Signer
beforeAll(async () => {
  signer = await hotkeyOf(3)
})

const deps = { clock: new ManualClock(), signal: new AbortController().signal }
function replayAnswers(hotkey: string, model: string, answers: readonly KeptAnswer[]) {
  return replay(hotkey, model, answers, deps)
}

/** Answers of a server with this noise, recorded as a validator does. */
async function recorded(count: number, noise: number, source: AnswerSource = 'own') {
  const levels = noiseLevels({ logitScale: 0.02, residual: 0.01, unexplained: 0 })
  const book = new EvidenceBook(RULES)
  const answers: KeptAnswer[] = []
  for (let index = 0; index < count; index++) {
    const compared = greedyAnswer(`answer ${index}`, noise, 60)
    const before = book.pairData(MINER, MODEL)
    const observation = observe(compared, levels, book.dialectOf(MINER, MODEL))
    book.record(MINER, MODEL, observation, index, source)
    const request = {
      model: MODEL,
      endpoint: 'completion',
      prompt: 'Hi',
      temperature: 0,
      maxTokens: 60,
    } as const
    const standing = book.standing(MINER, MODEL)
    const judged = await strictlyJudged(compared, request)
    const weighed = { compared, levels, rules: RULES, before, observation, standing }
    const parts = { at: index, source, judged, ...weighed }
    answers.push(await keepAnswer(parts))
  }
  return { answers, standing: book.standing(MINER, MODEL) }
}

async function bundleOf(count = 3): Promise<EvidenceBundle> {
  const { answers } = await recorded(count, 0.5)
  return { code: '5.0.0', exportedAt: '2026-01-01T00:00:00.000Z', miner: MINER, model: MODEL, answers }
}

describe('a bundle', () => {
  it('gives back what was signed and by whom', async () => {
    const text = encodeBundle(await bundleOf(), signer)
    expect(decodeBundle(text)).toEqual({
      signer: signer.address,
      bundle: JSON.parse(JSON.stringify(await bundleOf())),
    })
  })

  it('is refused after a change of any byte', async () => {
    const text = encodeBundle(await bundleOf(1), signer)
    const step = Math.ceil(text.length / 400)
    const positions = [...Array.from({ length: 300 }, (_, index) => index), text.length - 1, text.length - 2]
    for (let at = 300; at < text.length; at += step) positions.push(at)
    for (const at of positions) {
      const changed = text.charCodeAt(at) === 0x78 ? 'y' : 'x'
      expect(() => decodeBundle(text.slice(0, at) + changed + text.slice(at + 1)), `byte ${at}`).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^BUNDLE_(INVALID|SIGNATURE)$/) }),
      )
    }
    expect(() => decodeBundle(`${text} `)).toThrow()
    expect(() => decodeBundle('')).toThrow()
  })

  it('is refused when a liar signed content that is not of the format, however deep', async () => {
    const odd = [{}, { ...(await bundleOf()), answers: [] }, { ...(await bundleOf()), answers: [{ at: 1 }] }]
    const deep = JSON.parse('['.repeat(500) + ']'.repeat(500)) as unknown
    for (const content of [...odd, deep])
      expect(() => decodeBundle(encodeBundle(content as EvidenceBundle, signer))).toThrow(
        expect.objectContaining({ code: 'BUNDLE_INVALID' }),
      )
  })
})

describe('replayAnswers', () => {
  it('reaches the standing that was recorded, alarm included', async () => {
    const { answers, standing } = await recorded(12, 1.5)
    const again = await replayAnswers(MINER, MODEL, JSON.parse(JSON.stringify(answers)))
    expect(again.standing).toEqual(standing)
    expect(again.alarms).toHaveLength(1)
    expect(again).toMatchObject({ answers: 12, gaps: 0, relayed: 0 })
  })

  it('judges each answer alone, as it was judged', async () => {
    const [good, bad] = [await recorded(2, 0), await recorded(2, 1.5)]
    const verdicts = async ({ answers }: typeof good) =>
      (await replayAnswers(MINER, MODEL, answers)).verdicts.map(({ kind }) => kind)
    expect(await verdicts(good)).toEqual(['verified', 'verified'])
    expect(await verdicts(bad)).toEqual(['failed', 'failed'])
  })

  it('replays answers that a hub reported, which bar nobody', async () => {
    const { answers, standing } = await recorded(20, 1.5, 'relayed')
    expect(standing.level).toBe('suspected')
    expect(await replayAnswers(MINER, MODEL, answers)).toMatchObject({ relayed: 20, standing, alarms: [] })
  })

  it('counts gaps and starts from the evidence before the first answer', async () => {
    const { answers, standing } = await recorded(9, 0.5)
    const some = answers.filter((_, index) => index > 2 && index !== 5)
    expect(await replayAnswers(MINER, MODEL, some)).toMatchObject({ answers: 5, gaps: 1, standing })
  })

  it('refuses records that do not follow from the answers, even when they are signed', async () => {
    const [first] = (await recorded(1, 1.5)).answers
    if (!first) throw new Error('no answer')
    const compared = unpackAnswer(first.answer)
    if (!compared) throw new Error('no columns')
    const honest = { ...compared, tokenIds: compared.tokenIds.map(() => 100) }
    const residual = { tokens: 60, suspicion: [9, 9, 9], enforced: [9, 9, 9], sums: [1, 1] }
    const lies = [
      { ...first, answer: await packAnswer(honest) },
      { ...first, answer: { ...first.answer, temperature: 1 } },
      {
        ...first,
        observation: { ...first.observation, statistics: { ...first.observation.statistics, residual } },
      },
      { ...first, judged: { ...first.judged, verdict: { kind: 'verified' as const } } },
      { ...first, source: 'relayed' as const },
      { ...first, after: { ...first.after, level: 'barred' as const } },
      { ...first, after: { ...first.after, enforced: first.after.enforced + 1 } },
      { ...first, levels: { ...first.levels, enforced: { ...first.levels.enforced, logitScale: 0.01 } } },
    ]
    for (const [index, lie] of lies.entries())
      await expect(replayAnswers(MINER, MODEL, [lie]), `lie ${index}`).rejects.toMatchObject({
        code: 'BUNDLE_REPLAY',
      })
    const { answers } = await recorded(2, 0.5)
    await expect(replayAnswers('5Other', MODEL, answers)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' })
    const wordless = { ...first, judged: { ...first.judged, data: '' } }
    await expect(replayAnswers(MINER, MODEL, [wordless])).rejects.toMatchObject({ code: 'BUNDLE_INVALID' })
  })
})

describe('the columns of an answer', () => {
  it('come back exactly, also where four bytes would lose digits or a value is not a number', async () => {
    const answer = { ...greedyAnswer('columns', 0.3), seed: 5, claimedAt: Number.NaN }
    answer.claimed[3] = Number.NaN
    answer.claimed[4] = Number.NEGATIVE_INFINITY
    expect(unpackAnswer(await packAnswer(answer))).toEqual(answer)
    const top = { ...answer.top, logprobs: answer.top.logprobs.map(Math.fround) }
    const narrow = await packAnswer({ ...answer, top })
    expect(narrow.isWide).toBe(false)
    expect(unpackAnswer(narrow)).toEqual({ ...answer, top })
  })

  it('are refused when they expand to more, or less, than the counts say', async () => {
    const packed = await packAnswer(greedyAnswer('bomb', 0.3, 5))
    const bomb = deflateRawSync(Buffer.alloc(64 << 20)).toString('base64')
    for (const data of [bomb, '', 'AAAA', deflateRawSync(Buffer.alloc(8)).toString('base64')])
      expect(unpackAnswer({ ...packed, data })).toBeUndefined()
    expect(unpackAnswer({ ...packed, entries: packed.entries + 1 })).toBeUndefined()
    const top = { ...greedyAnswer('bomb', 0.3, 5).top, starts: Float64Array.from([0, 99, 1, 2, 3, 100]) }
    expect(unpackAnswer(await packAnswer({ ...greedyAnswer('bomb', 0.3, 5), top }))).toBeUndefined()
  })
})
