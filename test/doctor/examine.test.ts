import { describe, expect, it } from 'vitest'
import { resolveSettings, settings as table } from '../../src/config/index.js'
import {
  configuredRole,
  examine,
  type Finding,
  isHealthy,
  ownMachine,
  summarize,
  writeFinding,
} from '../../src/doctor/index.js'
import { TargonError } from '../../src/kernel/index.js'
import { ManualClock } from '../support/manual-clock.js'

const machine = ownMachine('20.19.0', '')

function contextOf(clock = new ManualClock(), signal = new AbortController().signal) {
  return { machine, clock, signal }
}

const saw = (text: string) => ({ state: 'ok', saw: text }) as const

describe('the examination', () => {
  it('runs checks side by side, and tells each as soon as those before it have ended', async () => {
    let finishFirst = () => {}
    const first = new Promise<void>((resolve) => {
      finishFirst = resolve
    })
    const told: string[] = []
    const running = examine(
      [
        { id: 'slow', title: 'waiting', run: async () => first.then(() => [saw('one')]) },
        { id: 'fast', title: 'nothing', run: async () => [saw('two'), saw('three')] },
      ],
      contextOf(),
      (findings) => told.push(...findings.map(({ check, saw: text }) => `${check} ${text}`)),
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(told).toEqual([])
    finishFirst()
    await running
    expect(told).toEqual(['slow one', 'fast two', 'fast three'])
  })

  it('fails a check that overruns its deadline, with what it waited for, and ends its work', async () => {
    const clock = new ManualClock()
    let isEnded = false
    const running = examine(
      [
        {
          ...{ id: 'stuck', title: 'the answer of the oracle', deadlineMs: 5000 },
          run: (_, signal) => {
            signal.addEventListener('abort', () => {
              isEnded = true
            })
            return new Promise(() => {})
          },
        },
      ],
      contextOf(clock),
    )
    await clock.advance(5000)
    const [finding] = await running
    expect(finding).toMatchObject({ check: 'stuck', state: 'fail' })
    expect(finding?.saw).toBe('The answer of the oracle did not finish within 5000 ms.')
    expect(isEnded).toBe(true)
  })

  it('takes an error for a failure with its next step, and an abort for the end', async () => {
    const error = new TargonError('It broke.', { code: 'X', fault: 'runtime', next: 'Mend it.' })
    const broken = { id: 'broken', title: 'x', run: () => Promise.reject(error) }
    expect(await examine([broken], contextOf())).toEqual([
      { check: 'broken', state: 'fail', saw: 'It broke.', next: 'Mend it.' },
    ])
    const stop = new AbortController()
    const waiting = { id: 'waiting', title: 'x', run: () => new Promise<never>(() => {}) }
    const running = examine([waiting], contextOf(new ManualClock(), stop.signal))
    stop.abort(new DOMException('stopped', 'AbortError'))
    await expect(running).rejects.toMatchObject({ name: 'AbortError' })
  })
})

describe('the report', () => {
  const findings: Finding[] = [
    { check: 'node', state: 'ok', saw: 'Node.js 22.' },
    { check: 'disk', state: 'warn', saw: 'Only 1 GiB.', next: 'Free space.' },
    { check: 'axon', state: 'skip', saw: 'Not checked.' },
  ]

  it('has one line per finding, with what to do below', () => {
    expect(findings.map(writeFinding)).toEqual([
      'ok    node          Node.js 22.',
      'warn  disk          Only 1 GiB.\n      → Free space.',
      'skip  axon          Not checked.',
    ])
  })

  it('escapes what a server may have sent', () => {
    expect(writeFinding({ check: 'x', state: 'ok', saw: 'a\u001b[2Jb' })).not.toContain('\u001b')
  })

  it('counts, and only failures make a neuron unhealthy', () => {
    expect(summarize(findings)).toBe('Nothing to mend, 1 to look at. 1 not checked.')
    expect(isHealthy(findings)).toBe(true)
    const failed: Finding[] = [
      ...findings,
      { check: 'chain', state: 'fail', saw: 'Down.', next: 'Start it.' },
    ]
    expect(summarize(failed)).toBe('1 to mend, 1 to look at. 1 not checked.')
    expect(isHealthy(failed)).toBe(false)
  })
})

describe('the role that the settings are made for', () => {
  it.each([
    [{ 'model-endpoint': 'http://127.0.0.1:8000/v1' }, 'miner'],
    [{ 'engine.mode': 'docker' }, 'validator'],
    [{ 'hub.port': '8080' }, 'hub'],
    // Validators have it, too.
    [{ 'database.url': 'postgres://h/d' }, undefined],
    [{ 'database.url': 'postgres://h/d', 'hub.port': '8080' }, 'hub'],
    [{}, undefined],
    [{ netuid: '4' }, undefined],
    // 4.x shared it, so that commands of validators have it too.
    [{ 'axon.port': '8091', 'engine.mode': 'docker' }, 'validator'],
    [{ 'model-endpoint': 'http://127.0.0.1:8000/v1', 'engine.mode': 'docker' }, undefined],
  ])('with %j is %s', (flags, role) => {
    const given = (of: 'miner' | 'validator' | 'hub') => {
      const own = Object.entries(flags).filter(([name]) =>
        table[name as keyof typeof table].roles.some((one) => one === of),
      )
      return resolveSettings(of, { flags: Object.fromEntries(own), env: {} }).origins
    }
    const all = { miner: given('miner'), validator: given('validator'), hub: given('hub') }
    expect(configuredRole(all, table)).toBe(role)
  })
})
