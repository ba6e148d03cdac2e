import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { scaled } from './scale.js'
import { startTally } from './tally.js'

/** F14: many processes start at the same time with one hotkey. */

const STARTS = scaled(100, 8)

interface Starter {
  readonly child: ChildProcess
  /** Resolves with the next line it prints. */
  next(): Promise<string>
}

function startProcess(folder: string, name: string, way: string): Starter {
  const child = spawn(process.execPath, [inject('scripts')['hotkey-lock'], folder, name, way], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting: ((line: string) => void)[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.trim().split('\n')) {
      const taker = waiting.shift()
      if (taker) taker(line)
      else lines.push(line)
    }
  })
  return {
    child,
    next: () => {
      const line = lines.shift()
      return line === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(line)
    },
  }
}

async function startAtOnce(way: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'targon-starts-'))
  const starters = Array.from({ length: STARTS }, (_, index) =>
    // two neuron names, but one hotkey
    startProcess(folder, index % 2 === 0 ? 'validator' : 'other', way),
  )
  try {
    await Promise.all(starters.map((starter) => starter.next()))
    for (const { child } of starters) child.stdin?.write('go\n')
    return await Promise.all(starters.map((starter) => starter.next()))
  } finally {
    for (const { child } of starters) {
      const ended = once(child, 'exit')
      child.stdin?.end()
      await ended
    }
    await rm(folder, { recursive: true })
  }
}

test(`of ${STARTS} processes started with one hotkey exactly one runs, and the others fail with HOTKEY_IN_USE`, async ({
  task,
}) => {
  const tally = startTally(task, { fault: 'F14', kind: 'processes started with one hotkey', full: 100 })
  const outcomes = await startAtOnce('lock')
  expect(outcomes.filter((outcome) => outcome === 'runs')).toHaveLength(1)
  expect(outcomes.filter((outcome) => outcome === 'HOTKEY_IN_USE')).toHaveLength(STARTS - 1)
  tally.count = STARTS
})

test('control: checking for a file before creating it lets several run', async () => {
  const outcomes = await startAtOnce('naive')
  expect(outcomes.filter((outcome) => outcome === 'runs').length).toBeGreaterThan(1)
})
