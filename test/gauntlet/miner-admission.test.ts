import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeVllm, startFakeVllm } from '../support/fake-vllm.js'
import { scaled } from './scale.js'
import {
  askRaw,
  inParallel,
  sendRaw,
  signedPost,
  startVictim,
  type Victim,
  type VictimKind,
} from './victim.js'

/** A model server that responds at once; the ids in the received bodies identify requests. */
async function startUpstream(): Promise<FakeVllm> {
  return await startFakeVllm({
    answer: ({ response }) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  })
}

const SIGNED_HEADERS = [
  'Epistula-Timestamp',
  'Epistula-Uuid',
  'Epistula-Signed-By',
  'Epistula-Request-Signature',
] as const

const bodyOf = (id: string) => JSON.stringify({ model: 'org/model', user: id })
const idsAt = (vllm: FakeVllm) => vllm.received.map(({ body }) => (JSON.parse(body) as { user: string }).user)

describe('gauntlet: admission of the miner', () => {
  const open: { close(): Promise<unknown> | unknown }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })

  async function start(kind: VictimKind = 'miner', settings = {}): Promise<[Victim, FakeVllm]> {
    const vllm = await startUpstream()
    const victim = await startVictim(kind, {
      'model-endpoint': [vllm.url],
      'max-failed-checks': 100_000,
      'max-in-flight': 10_000,
      'max-in-flight-per-signer': 10_000,
      'signature-workers': 1,
      ...settings,
    })
    open.push({ close: () => vllm.close() }, { close: () => victim.kill('SIGKILL') })
    return [victim, vllm]
  }

  it('F1: fuzzed requests cause no crash and no 5xx, and none passes without a valid signature', async () => {
    const [victim, vllm] = await start()
    // the first requests load and compile code, which is not a leak
    await inParallel(200, 16, async (index) => {
      await askRaw(victim.port, [
        signedPost(bodyOf(`warm-up-${index}`)),
        signedPost(bodyOf(`warm-up-2-${index}`)),
      ])
    })
    vllm.received.length = 0
    const before = victim.rssMegabytes()
    const statuses = new Map<number, number>()
    const signedIds = new Set<string>()
    const count = (all: number[]) => {
      for (const status of all) statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
    const valid = signedPost(bodyOf('template'))
    const names = Object.keys(valid.headers)
    const junk = fc.oneof(
      fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => text.replace(/[\r\n\0]/g, '?')),
      fc.constantFrom(
        '',
        '2',
        '0x',
        'NaN',
        '-1',
        '9'.repeat(300),
        '__proto__',
        '%00',
        '١٢٣',
        '1734000000000',
        'a'.repeat(8000),
      ),
    )
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
    const pipelined = scaled(4_000_000, 1, 8000) / 20
    const samples = fc.sample(fuzzed, { numRuns: 2000, seed: 1 })
    // control: the same requests break a naive miner
    const [naive] = await start('naive')
    const answers = await Promise.all(samples.slice(0, 400).map((one) => sendRaw(naive.port, one)))
    expect(answers.flat().some((status) => status >= 500) || naive.crashes.length > 0).toBe(true)
    await inParallel(pipelined, 16, async (index) => {
      const batch = Array.from(
        { length: 20 },
        (_, offset) => samples[(index * 7 + offset * 13) % samples.length],
      )
      count(await sendRaw(victim.port, batch.join('')))
    })
    const mutate = (text: string, seed: number) => {
      const bytes = Buffer.from(text, 'latin1')
      for (let change = 0; change <= seed % 3; change++) {
        const at = (seed * 7919 + change * 104_729) % bytes.length
        bytes[at] = (seed >> (change + 1)) & 0xff
      }
      return bytes
    }
    await inParallel(scaled(500_000, 1, 400), 16, async (index) => {
      const id = `raw-${index}`
      signedIds.add(id)
      const one = signedPost(bodyOf(id))
      count(await sendRaw(victim.port, mutate(one.head + one.body, index)))
    })
    await inParallel(scaled(500_000, 1, 400), 16, async (index) => {
      const id = `body-${index}`
      const one = signedPost(bodyOf(id))
      const body = index % 2 === 0 ? one.body.replace('org', 'ORG') : one.body.replace('"user"', '"User"')
      count(await sendRaw(victim.port, one.head + body))
    })
    expect(victim.isAlive()).toBe(true)
    expect(victim.crashes).toEqual([])
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([])
    const served = idsAt(vllm)
    expect(served.filter((id) => !signedIds.has(id))).toEqual([])
    expect(new Set(served).size).toBe(served.length)
    const growth = victim.rssMegabytes() - before
    console.log(`F1: memory grew by ${growth.toFixed(0)} MB`)
    expect(growth).toBeLessThan(64)
  })

  it('F2: a captured request is served only once, also among 100 concurrent copies and after kill -9', async () => {
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await start(kind)
      const captures = Array.from({ length: kind === 'naive' ? 3 : scaled(1000, 10, 10) }, () =>
        signedPost(''),
      )
      const statuses = new Map<number, number>()
      await inParallel(captures.length, 4, async (index) => {
        const one = signedPost(bodyOf(`capture-${index}`))
        captures[index] = one
        const copies = Array.from({ length: 100 }, () => one)
        const answers = await Promise.all([
          askRaw(victim.port, copies.slice(0, 50)),
          ...copies.slice(50).map((copy) => askRaw(victim.port, [copy])),
        ])
        for (const status of answers.flat()) statuses.set(status, (statuses.get(status) ?? 0) + 1)
      })
      const served = idsAt(vllm)
      if (kind === 'naive') {
        expect(served.length).toBeGreaterThan(captures.length)
        continue
      }
      expect(served.length).toBe(captures.length)
      expect(new Set(served).size).toBe(captures.length)
      expect(Object.fromEntries(statuses)).toEqual({ 200: captures.length, 400: 99 * captures.length })
      const late = signedPost(bodyOf('late'))
      await sendRaw(victim.port, late.head + late.body)
      victim.kill('SIGKILL')
      await victim.exit
      const again = await startVictim('miner', { 'model-endpoint': [vllm.url] })
      open.push({ close: () => again.kill('SIGKILL') })
      const before = vllm.received.length
      for (const capture of [late, ...captures.slice(-20)])
        await sendRaw(again.port, capture.head + capture.body)
      expect(vllm.received.length).toBe(before)
    }
  })

  it('F3: accepts only timestamps of 13 digits within the window, and answers none with a 5xx', async () => {
    const now = Date.now()
    const values = [
      '',
      ' ',
      'abc',
      '1e3',
      '1e12',
      '0x1',
      '-1',
      '+1',
      '1.',
      '1.0',
      '.1',
      '1_0',
      '٠١٢٣٤٥٦٧٨٩٠١٢',
      '１２３４５６７８９０１２３',
      'NaN',
      'inf',
      'null',
      'true',
      '[]',
      '{}',
      '0',
      '00',
      '9'.repeat(14),
      '9'.repeat(5000),
      `${now} `,
      ` ${now}`,
      `+${now}`,
      `0${now}`,
      `${now}.0`,
      `${now}e0`,
      `${now},${now}`,
      `${now}n`,
      String(now - 8500),
      String(now + 9500),
      String(now + 3.15e11),
      String(Math.floor(now / 1000)),
      String(now * 1000),
      '-1734000000000',
      '0000000000000',
      '9999999999999',
    ]
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await start(kind)
      const statuses: number[] = []
      const wrong = values.flatMap((value) => SIGNED_HEADERS.map((name) => [name, value] as const))
      await inParallel(wrong.length, 16, async (index) => {
        const [name, value] = wrong[index]!
        const one = signedPost(bodyOf('stamp'))
        const isPadding = name === 'Epistula-Timestamp' && value.trim() === String(now)
        if (isPadding) return
        const text = Buffer.from(value, 'utf8').toString('latin1')
        const head = one.head.replace(new RegExp(`${name}: .*\r\n`), `${name}: ${text}\r\n`)
        statuses.push(...(await sendRaw(victim.port, Buffer.from(head + one.body, 'latin1'))))
      })
      if (kind === 'naive') expect(statuses.some((status) => status >= 500)).toBe(true)
      else {
        expect(statuses.filter((status) => status !== 400 && status !== 401 && status !== 431)).toEqual([])
        expect(vllm.received).toEqual([])
      }
    }
  })
})
