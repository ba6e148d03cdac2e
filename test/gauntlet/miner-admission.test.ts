import { afterEach, describe, expect, it } from 'vitest'
import { bodyOf, createGate, idsAt } from './gate.js'
import { scaled } from './scale.js'
import { startTally } from './tally.js'
import { askRaw, inParallel, sendRaw, signedPost, startVictim } from './victim.js'

const SIGNED_HEADERS = [
  'Epistula-Timestamp',
  'Epistula-Uuid',
  'Epistula-Signed-By',
  'Epistula-Request-Signature',
] as const

describe('gauntlet: admission of the miner', () => {
  const gate = createGate()
  afterEach(() => gate.close())

  it('F2: a captured request is served only once, also among 100 concurrent copies and after kill -9', async ({
    task,
  }) => {
    const tally = startTally(task, {
      fault: 'F2',
      kind: 'captured requests, each sent 100 times',
      full: 1000,
    })
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await gate.start(kind)
      const captures = Array.from({ length: kind === 'naive' ? 3 : scaled(tally.full, 10, 10) }, () =>
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
      gate.closeLater(() => again.kill('SIGKILL'))
      const before = vllm.received.length
      for (const capture of [late, ...captures.slice(-20)])
        await sendRaw(again.port, capture.head + capture.body)
      expect(vllm.received.length).toBe(before)
      tally.count = captures.length
    }
  })

  it('F3: accepts only timestamps of 13 digits within the window, and answers none with a 5xx', async ({
    task,
  }) => {
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
    const isPadding = (name: string, value: string) =>
      name === 'Epistula-Timestamp' && value.trim() === String(now)
    const wrong = values
      .flatMap((value) => SIGNED_HEADERS.map((name) => [name, value] as const))
      .filter(([name, value]) => !isPadding(name, value))
    const tally = startTally(task, {
      fault: 'F3',
      kind: 'false values in signed headers',
      full: wrong.length,
    })
    for (const kind of ['naive', 'miner'] as const) {
      const [victim, vllm] = await gate.start(kind)
      const statuses: number[] = []
      await inParallel(wrong.length, 16, async (index) => {
        const [name, value] = wrong[index]!
        const one = signedPost(bodyOf('stamp'))
        const text = Buffer.from(value, 'utf8').toString('latin1')
        const head = one.head.replace(new RegExp(`${name}: .*\r\n`), `${name}: ${text}\r\n`)
        statuses.push(...(await sendRaw(victim.port, Buffer.from(head + one.body, 'latin1'))))
      })
      if (kind === 'naive') expect(statuses.some((status) => status >= 500)).toBe(true)
      else {
        expect(statuses.filter((status) => status !== 400 && status !== 401 && status !== 431)).toEqual([])
        expect(vllm.received).toEqual([])
        tally.count = wrong.length
      }
    }
  })
})
