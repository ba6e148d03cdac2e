import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'

const run = promisify(execFile)
/** Documents of the status server that need no parameter, by role. */
const DOCUMENTS = { validator: ['status', 'rounds', 'report'], miner: ['status', 'series'] } as const
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

const report = z.object({
  epochs: z.number(),
  miners: z.array(
    z.strictObject({
      uid: z.number(),
      hotkey: z.string(),
      behaviour: z.string(),
      models: z.array(z.string()),
      verdicts: z.object({
        verified: z.number(),
        inconclusive: z.number(),
        failed: z.record(z.string(), z.number()),
      }),
      meanTokensPerSecond: z.number(),
      score: z.number(),
      evidence: z.enum(['clean', 'suspected', 'barred']),
      weightU16: z.number(),
    }),
  ),
  validator: z.object({
    uid: z.number(),
    hotkey: z.string(),
    rounds: z.number(),
    models: z.array(z.string()),
    weights: z.object({
      block: z.number(),
      entries: z.array(z.object({ uid: z.number(), weightU16: z.number() })),
    }),
  }),
})

const localnet = z.object({
  validator: z.object({ page: z.string() }),
  miners: z.array(z.object({ name: z.string(), page: z.string().nullable() })),
})

/** Statuses of the pages, and whether the documents of the roles fit the schemas that their own description gives. */
async function visitAll(url: string): Promise<Readonly<Record<string, unknown>>> {
  const { validator, miners } = localnet.parse(await (await fetch(`${url}/status`)).json())
  const miner = miners.find(({ name }) => name === 'honest-fast')?.page ?? ''
  const found: Record<string, unknown> = { localnet: (await fetch(`${url}/`)).status }
  for (const [role, base] of [
    ['validator', validator.page],
    ['miner', miner],
  ] as const) {
    found[role] = (await fetch(`${base}/`)).status
    const description = (await (await fetch(`${base}/openapi.json`)).json()) as {
      components: { schemas: Record<string, object> }
    }
    for (const name of DOCUMENTS[role]) {
      const schema = `${role}-${name}`.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
      const fits = new Ajv2020({ strict: false }).compile(description.components.schemas[schema] ?? false)
      const isGood = fits(await (await fetch(`${base}/${name}`)).json())
      found[`${role} ${name}`] = isGood || fits.errors
    }
  }
  return found
}

// Speed decides verdicts and weights here, and another suite runs beside: a stall of the machine can fail an honest miner.
const retry = process.env.CI ? 1 : 0

describe('a localnet of two epochs', { retry }, () => {
  let result: z.output<typeof report>
  let visits: Promise<Readonly<Record<string, unknown>>>

  const runNetwork = async (seed: string) => {
    const args = [bin, 'localnet', '--epochs', '2', '--json', '--seed', seed]
    const running = run(process.execPath, args, { timeout: 460_000, maxBuffer: 16 << 20 })
    visits = new Promise((resolve) => {
      let notes = ''
      const look = (text: string) => {
        notes += text
        const url = /^page of this subnet: (\S+)\/$/m.exec(notes)?.[1]
        // The first verdict is there: the documents are not empty.
        if (url === undefined || !/uid 1 honest-fast/.test(notes)) return
        // Once: a later visit would meet processes that end.
        running.child.stderr?.off('data', look)
        resolve(visitAll(url))
      }
      running.child.stderr?.on('data', look)
    })
    visits.catch(() => {})
    const { stdout } = await running
    return report.parse(JSON.parse(stdout))
  }

  beforeAll(async () => {
    result = await runNetwork('e2e')
  }, 470_000)
  // A retry starts a new run: if the machine stalled, every test of the old run is affected.
  beforeEach(async ({ task }) => {
    if ((task.result?.retryCount ?? 0) > 0) result = await runNetwork('another')
  }, 470_000)

  it('serves pages that lead to each other, and documents as described', async () => {
    expect(await visits).toEqual({
      localnet: 200,
      ...{ validator: 200, 'validator status': true, 'validator rounds': true, 'validator report': true },
      ...{ miner: 200, 'miner status': true, 'miner series': true },
    })
  })

  const by = (behaviour: RegExp) => result.miners.filter((miner) => behaviour.test(miner.behaviour))

  it('sets weights in both epochs', () => {
    expect(result.epochs).toBeGreaterThanOrEqual(2)
    expect(result.validator.rounds).toBeGreaterThan(4)
  })

  it('gives every miner at least two verdicts', () => {
    for (const { verdicts } of result.miners) {
      const count = Object.values(verdicts.failed).reduce((sum, failed) => sum + failed, verdicts.verified)
      expect(count).toBeGreaterThanOrEqual(2)
    }
  })

  it('verifies the honest miners and fails none of them', () => {
    for (const miner of by(/^honest$/)) {
      expect(miner.verdicts.failed, miner.hotkey).toEqual({})
      expect(miner.verdicts.verified).toBeGreaterThan(0)
      expect(miner.evidence, miner.hotkey).toBe('clean')
    }
  })

  it('weights honest miners by speed and number of models', () => {
    const [fast, medium, slow, both] = result.miners
    const weights = [both, fast, medium, slow].map((miner) => miner?.weightU16 ?? 0)
    expect(weights).toEqual([...weights].sort((a, b) => b - a))
    expect(new Set(weights).size).toBe(4)
    expect(weights[0]).toBe(65535)
    expect(both?.models).toHaveLength(2)
  })

  it('fails every cheat that one answer shows and gives it weight 0', () => {
    const cheats = by(/^(?!honest$|int4$)/)
    expect(cheats.map((miner) => miner.behaviour).sort()).toEqual([
      'empty-padding',
      'generate-first',
      'made-up-logprobs',
      'other-model',
    ])
    for (const cheat of cheats)
      expect(cheat).toMatchObject({ weightU16: 0, score: 0, verdicts: { verified: 0 } })
  })

  it('stores the weights the validator submitted on chain', () => {
    const onChain = new Map(result.miners.map((miner) => [miner.uid, miner.weightU16]))
    for (const entry of result.validator.weights.entries)
      expect(onChain.get(entry.uid) ?? 0).toBe(entry.weightU16)
    expect(result.validator.weights.entries.length).toBeGreaterThanOrEqual(4)
  })
})
