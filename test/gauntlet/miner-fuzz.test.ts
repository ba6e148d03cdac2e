import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { FakeVllm } from '../support/fake-vllm.js'
import { bodyOf, createGate, idsAt } from './gate.js'
import { scaled } from './scale.js'
import { GAUNTLET_SEED } from './seed.js'
import { startTally } from './tally.js'
import { askRaw, inParallel, sendRaw, signedPost, type Victim } from './victim.js'

/** F1: fuzzed requests cause no crash and no 5xx, and none passes without a valid signature. */

const PIPELINED = 20

const junk = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => text.replace(/[\r\n\0]/g, '?')),
  fc.constantFrom('', '2', '0x', 'NaN', '-1', '9'.repeat(300), '__proto__', '%00'),
  fc.constantFrom('١٢٣', '1734000000000', 'a'.repeat(8000)),
)

/** Heads of requests whose headers are changed or sent twice. */
function fuzzedHeads(count: number): string[] {
  const valid = signedPost(bodyOf('template'))
  const names = Object.keys(valid.headers)
  const fuzzed = fc
    .record({
      method: fc.constantFrom('POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'BREW'),
      path: fc.oneof(
        fc.constantFrom('/v1/chat/completions', '/v1/completions', '/models', '/', '//', '/..%2f', '*'),
        fc.webPath(),
      ),
      changes: fc.array(
        fc.tuple(
          fc.constantFrom(...names, 'content-length', 'transfer-encoding', 'expect', 'x-targon-model'),
          junk,
        ),
        { maxLength: 4 },
      ),
      isDoubled: fc.boolean(),
    })
    .map(({ method, path, changes, isDoubled }) => {
      const headers = Object.entries({ ...valid.headers, host: 'gauntlet', ...Object.fromEntries(changes) })
      const all = isDoubled ? [...headers, ...headers.slice(0, 3)] : headers
      return `${method} ${path || '/'} HTTP/1.1\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    })
  return fc.sample(fuzzed, { numRuns: count, seed: GAUNTLET_SEED })
}

/** Changes one to three bytes. */
function mutate(text: string, seed: number): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  for (let change = 0; change <= seed % 3; change++) {
    const at = (seed * 7919 + change * 104_729) % bytes.length
    bytes[at] = (seed >> (change + 1)) & 0xff
  }
  return bytes
}

describe('gauntlet: fuzzed requests to the miner', () => {
  const gate = createGate()
  afterEach(() => gate.close())

  /** A miner that has loaded and compiled its code with its first requests, so that this does not look like a leak. */
  async function startWarm(): Promise<{ victim: Victim; vllm: FakeVllm; before: number }> {
    const [victim, vllm] = await gate.start()
    await inParallel(200, 16, async (index) => {
      await askRaw(victim.port, [
        signedPost(bodyOf(`warm-up-${index}`)),
        signedPost(bodyOf(`warm-up-2-${index}`)),
      ])
    })
    vllm.received.length = 0
    return { victim, vllm, before: victim.rssMegabytes() }
  }

  function expectUnharmed(victim: Victim, statuses: ReadonlySet<number>, before: number): void {
    expect(victim.isAlive()).toBe(true)
    expect(victim.crashes).toEqual([])
    expect([...statuses].filter((status) => status >= 500)).toEqual([])
    const growth = victim.rssMegabytes() - before
    console.log(`F1: memory grew by ${growth.toFixed(0)} MB`)
    expect(growth).toBeLessThan(64)
  }

  it('of fuzzed methods, paths and headers none reaches the model server', async ({ task }) => {
    const kind = 'requests with fuzzed methods, paths and headers'
    const tally = startTally(task, { fault: 'F1', kind, full: 4_000_000, isDrawn: true })
    const { victim, vllm, before } = await startWarm()
    const samples = fuzzedHeads(2000)
    const statuses = new Set<number>()
    await inParallel(scaled(tally.full, 1, 8000) / PIPELINED, 16, async (index) => {
      const batch = Array.from(
        { length: PIPELINED },
        (_, offset) => samples[(index * 7 + offset * 13) % samples.length],
      )
      for (const status of await sendRaw(victim.port, batch.join(''))) statuses.add(status)
      tally.count += PIPELINED
    })
    expectUnharmed(victim, statuses, before)
    expect(vllm.received).toEqual([])
  }, 2_400_000)

  it('of signed requests with changed bytes each reaches the model server once at most', async ({ task }) => {
    const tally = startTally(task, { fault: 'F1', kind: 'signed requests with changed bytes', full: 500_000 })
    const { victim, vllm, before } = await startWarm()
    const statuses = new Set<number>()
    const sent = scaled(tally.full, 1, 400)
    await inParallel(sent, 16, async (index) => {
      const one = signedPost(bodyOf(`raw-${index}`))
      for (const status of await sendRaw(victim.port, mutate(one.head + one.body, index)))
        statuses.add(status)
      tally.count++
    })
    expectUnharmed(victim, statuses, before)
    const ids = new Set(Array.from({ length: sent }, (_, index) => `raw-${index}`))
    const served = idsAt(vllm)
    expect(served.filter((id) => !ids.has(id))).toEqual([])
    expect(new Set(served).size).toBe(served.length)
  }, 2_400_000)

  it('of signed requests with another body none reaches the model server', async ({ task }) => {
    const tally = startTally(task, { fault: 'F1', kind: 'signed requests with another body', full: 500_000 })
    const { victim, vllm, before } = await startWarm()
    const statuses = new Set<number>()
    await inParallel(scaled(tally.full, 1, 400), 16, async (index) => {
      const one = signedPost(bodyOf(`body-${index}`))
      const body = index % 2 === 0 ? one.body.replace('org', 'ORG') : one.body.replace('"user"', '"User"')
      for (const status of await sendRaw(victim.port, one.head + body)) statuses.add(status)
      tally.count++
    })
    expectUnharmed(victim, statuses, before)
    expect(vllm.received).toEqual([])
  }, 2_400_000)

  it('control: the fuzzed headers break a naive miner', async () => {
    const [naive] = await gate.start('naive')
    const answers = await Promise.all(fuzzedHeads(400).map((one) => sendRaw(naive.port, one)))
    expect(answers.flat().some((status) => status >= 500) || naive.crashes.length > 0).toBe(true)
  })
})
