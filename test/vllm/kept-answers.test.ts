import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { type Configuration, HONEST } from './configurations.js'
import type { FieldAnswer } from './field.js'
import { openKeptAnswers } from './kept-answers.js'

const folder = mkdtempSync(join(tmpdir(), 'targon-kept-'))
mkdirSync(join(folder, 'honest'))
writeFileSync(join(folder, 'honest', 'model.safetensors'), 'weights')
const environment = { python: 'python', models: folder, cache: folder }

afterEach(() => rmSync(join(folder, 'answers'), { recursive: true, force: true }))

it('gives the answers back, without a line that was cut off', async () => {
  const kept = openKeptAnswers(environment, configuration())
  await kept.add(3, answerOf(7))
  await kept.add(1, { verdict: { kind: 'failed', cause: 'BAD_STREAM', detail: 'cut' }, compared: undefined })
  appendFileSync(kept.path, '{"index":2,"verdict"')
  const again = openKeptAnswers(environment, configuration())
  expect([...again.answers.keys()]).toEqual([3, 1])
  expect(again.answers.get(3)).toEqual(answerOf(7))
  await again.add(2, answerOf(8))
  expect(readFileSync(kept.path, 'utf8').trim().split('\n')).toHaveLength(3)
  expect(openKeptAnswers(environment, configuration()).answers.get(2)).toEqual(answerOf(8))
})

it('asks again when the options or the requests change, not when the number of answers does', () => {
  const { path } = openKeptAnswers(environment, configuration())
  const { requests } = configuration()
  expect(openKeptAnswers(environment, { ...configuration(), answers: 7 }).path).toBe(path)
  expect(openKeptAnswers(environment, { ...configuration(), flags: ['--dtype', 'float16'] }).path).not.toBe(
    path,
  )
  const others = { ...requests, seed: 'another' }
  expect(openKeptAnswers(environment, { ...configuration(), requests: others }).path).not.toBe(path)
})

function configuration(): Configuration {
  const [first] = HONEST
  if (!first) throw new Error('There is no configuration.')
  return first
}

function answerOf(id: number): FieldAnswer {
  const column = (...values: number[]) => Float64Array.from(values)
  return {
    verdict: { kind: 'verified' },
    compared: {
      ...{ temperature: 0.7, seed: 5, promptTokens: 9, claimedAt: 1, isCut: false },
      tokenIds: column(id),
      claimed: column(-0.25),
      reference: column(-0.5),
      top: {
        ...{
          starts: column(0, 2, 2),
          ids: column(id, 4),
          logprobs: column(-0.5, -1.5),
          vocabularySize: 2048,
        },
        tail: column(0.1, 1),
      },
    },
  }
}
