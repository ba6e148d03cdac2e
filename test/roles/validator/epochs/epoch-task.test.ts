import pino from 'pino'
import { expect, test } from 'vitest'
import {
  type EpochJobs,
  EpochTask,
  epochAt,
  type WeightsAttempt,
} from '../../../../src/roles/validator/epochs/epoch-task.js'
import { ManualClock, settle } from '../../../support/manual-clock.js'

interface Calls {
  readonly weights: number[]
  readonly log: string[]
}

function setup(options: {
  epochLength?: number
  startBlock?: number
  due?: boolean
  jobs?: Partial<EpochJobs>
  attempt?: (index: number) => WeightsAttempt
}) {
  const clock = new ManualClock()
  const calls: Calls = { weights: [], log: [] }
  const abort = new AbortController()
  const note = (name: string) => async () => {
    calls.log.push(name)
  }
  const jobs: EpochJobs = {
    resync: note('resync'),
    setWeights: async ({ index }) => {
      calls.weights.push(index)
      return options.attempt?.(index) ?? { kind: 'done' }
    },
    refreshModels: note('models'),
    refreshEngines: note('engines'),
    broadcast: async (announce) => {
      calls.log.push(announce ? 'announce' : 'ask')
    },
    finish: note('finish'),
    ...options.jobs,
  }
  const task = new EpochTask(
    {
      clock,
      log: pino({ level: 'silent' }),
      epochLength: options.epochLength ?? 10,
      jobs,
      startBlock: options.startBlock ?? 5,
      weightsDueAtStart: options.due ?? false,
    },
    abort.signal,
  )
  const head = async (number: number) => {
    task.onHead({ number, hash: `0x${number}` })
    await settle()
  }
  return { clock, calls, task, head, stop: () => abort.abort() }
}

test('acts once per epoch despite skipped, repeated and lower heads', async () => {
  const { head, calls, stop } = setup({})
  for (const number of [6, 9, 11, 11, 10, 12, 19, 23, 22, 29, 30, 30, 47]) await head(number)
  expect(calls.weights).toEqual([1, 2, 3, 4])
  stop()
})

test('runs the jobs of an epoch in order, after a resync', async () => {
  const { head, calls, stop } = setup({ epochLength: 100, startBlock: 90 })
  await head(100)
  expect(calls.log).toEqual(['resync', 'models', 'engines', 'announce', 'finish'])
  stop()
})

test('runs the other jobs when one throws or hangs', async () => {
  const { head, calls, clock, stop } = setup({
    epochLength: 100,
    startBlock: 90,
    jobs: {
      resync: async () => {
        throw new Error('rpc lost')
      },
      refreshModels: () => new Promise(() => {}),
    },
  })
  await head(100)
  await clock.advance(20_000)
  expect(calls.weights).toEqual([1])
  expect(calls.log).toEqual(['engines', 'announce', 'finish'])
  stop()
})

test('retries rejected weights within the epoch only', async () => {
  let attempts = 0
  const { head, calls, stop } = setup({
    epochLength: 100,
    startBlock: 95,
    attempt: (index) =>
      index === 1 && ++attempts < 4 ? { kind: 'retry', reason: 'too fast' } : { kind: 'done' },
  })
  for (let number = 96; number < 300; number++) await head(number)
  expect(calls.weights).toEqual([1, 1, 1, 1, 2])
  stop()
})

test('tells when weights are set next, and why the last attempt set none', async () => {
  let attempts = 0
  const { task, head, stop } = setup({
    epochLength: 100,
    startBlock: 95,
    attempt: () => (++attempts < 2 ? { kind: 'retry', reason: 'too fast' } : { kind: 'done' }),
  })
  expect(task.nextWeights()).toEqual({ block: 100 })
  await head(100)
  expect(task.nextWeights()).toEqual({ block: 102, reason: 'too fast' })
  await head(102)
  expect(task.nextWeights()).toEqual({ block: 200 })
  stop()
})

test('reads a fresh metagraph for each further attempt', async () => {
  const log: string[] = []
  const { head, stop } = setup({
    epochLength: 100,
    startBlock: 95,
    jobs: {
      resync: async () => void log.push('resync'),
      setWeights: async ({ index }) => {
        log.push(`weights ${index}`)
        return log.length < 6 ? { kind: 'retry', reason: 'bad vector' } : { kind: 'done' }
      },
    },
  })
  for (let number = 100; number < 112; number++) await head(number)
  expect(log.slice(0, 6)).toEqual(['resync', 'weights 1', 'resync', 'weights 1', 'resync', 'weights 1'])
  stop()
})

test('ends a hanging submission at its deadline and retries at a later head', async () => {
  let hang = true
  const { head, calls, clock, stop } = setup({
    epochLength: 100,
    startBlock: 95,
    jobs: {
      setWeights: async ({ index }) => {
        calls.weights.push(index)
        if (hang) await new Promise(() => {})
        return { kind: 'done' }
      },
    },
  })
  await head(100)
  await clock.advance(180_000)
  hang = false
  await head(110)
  await head(120)
  expect(calls.weights).toEqual([1, 1])
  stop()
})

test('sets weights due at the start at once and asks miners for their models between epochs', async () => {
  const { head, calls, stop } = setup({ epochLength: 60, startBlock: 65, due: true })
  await settle()
  expect(calls.weights).toEqual([1])
  for (let number = 66; number < 100; number++) await head(number)
  expect(calls.log.filter((name) => name === 'ask')).toHaveLength(3)
  stop()
})

test('ends after the abort', async () => {
  const { task, stop } = setup({})
  stop()
  await task.done
})

test('derives the window of an epoch from index and length', () => {
  expect(epochAt(719, 360)).toEqual({ index: 1, dueBlock: 360, nextBlock: 720 })
  expect(epochAt(720, 360)).toEqual({ index: 2, dueBlock: 720, nextBlock: 1080 })
})
