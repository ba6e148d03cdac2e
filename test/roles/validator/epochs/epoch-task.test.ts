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

test('a skipped boundary block, repeated and lower heads: each epoch acts once', async () => {
  const { head, calls, stop } = setup({})
  for (const number of [6, 9, 11, 11, 10, 12, 19, 23, 22, 29, 30, 30, 47]) await head(number)
  expect(calls.weights).toEqual([1, 2, 3, 4])
  stop()
})

test('the jobs of an epoch run in order, and a resync comes before the weights', async () => {
  const { head, calls, stop } = setup({ epochLength: 100, startBlock: 90 })
  await head(100)
  expect(calls.log).toEqual(['resync', 'models', 'engines', 'announce', 'finish'])
  stop()
})

test('a job that throws or hangs stops none of the others', async () => {
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

test('weights that were refused are tried again within the window and never beyond it', async () => {
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

test('each further attempt is made of a fresh metagraph', async () => {
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

test('a hanging submission ends at its deadline and the next head tries again', async () => {
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

test('weights owed at start are set at once, and miners are asked again between epochs', async () => {
  const { head, calls, stop } = setup({ epochLength: 60, startBlock: 65, due: true })
  await settle()
  expect(calls.weights).toEqual([1])
  for (let number = 66; number < 100; number++) await head(number)
  expect(calls.log.filter((name) => name === 'ask')).toHaveLength(3)
  stop()
})

test('after the abort the task ends', async () => {
  const { task, stop } = setup({})
  stop()
  await task.done
})

test('the window of an epoch is its index times its length', () => {
  expect(epochAt(719, 360)).toEqual({ index: 1, dueBlock: 360, nextBlock: 720 })
  expect(epochAt(720, 360)).toEqual({ index: 2, dueBlock: 720, nextBlock: 1080 })
})
