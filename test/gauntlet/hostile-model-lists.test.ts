import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { createMinerAgent, listModels } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { broadcastModels } from '../../src/roles/validator/epochs/broadcast.js'
import { servingMiners } from '../roles/validator/rounds/round-parts.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { GAUNTLET_SCALE, scaled } from './scale.js'
import { drawsOf } from './seed.js'
import { startTally } from './tally.js'

/** F24: 1,000 hostile model lists, from 36 miners at a time. */

const MINERS = 36
const BROADCASTS = scaled(Math.ceil(1000 / MINERS), 2)
const WANTED = ['org/a', 'org/b']
/** 3.5 s in a full run; more when scaled, where fake miners and other tests share the CPU. */
const LIMIT_MS = GAUNTLET_SCALE === 1 ? 3500 : 8000

/** Number of hostile behaviours; larger numbers are taken modulo. */
const KINDS = 18

let miners: ChildProcess
let url = ''
beforeAll(async () => {
  miners = spawn(process.execPath, [inject('scripts')['hostile-lists']], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  url = String((await once(miners, 'message'))[0])
})
afterAll(async () => {
  const ended = once(miners, 'exit')
  miners.kill('SIGKILL')
  await ended
})

/** Sets the behaviour of each miner by uid; null is honest. */
async function setBehaviour(kinds: readonly (number | null)[]): Promise<void> {
  const acknowledged = once(miners, 'message')
  miners.send(kinds)
  await acknowledged
}

test('polls 36 mostly hostile miners in time and in bounded memory, and accepts only the honest lists', async ({
  task,
}) => {
  const kind = `polls of ${MINERS} miners, 34 of them hostile`
  const tally = startTally(task, { fault: 'F24', kind, full: Math.ceil(1000 / MINERS), isDrawn: true })
  const random = drawsOf('lists')
  const served = servingMiners(MINERS, Number(new URL(url).port))
  const signer = await hotkeyOf(200)
  const ask = async () => {
    const startedAt = performance.now()
    const { signal } = new AbortController()
    const lists = await broadcastModels(
      served,
      { clock: systemClock, signer, wanted: WANTED, announce: true },
      signal,
    )
    return { ms: performance.now() - startedAt, lists }
  }
  await ask()
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 20)
  for (let broadcast = 0; broadcast < BROADCASTS; broadcast++) {
    // uids 1 and 2 stay honest
    await setBehaviour(
      Array.from({ length: MINERS + 1 }, (_, uid) => (uid < 3 ? null : uid + random.integer(0, KINDS - 1))),
    )
    const { ms, lists } = await ask()
    expect(ms).toBeLessThan(LIMIT_MS)
    expect(
      [...lists.keys()].filter(
        (hotkey) => !/Miner[12]$/.test(hotkey) && (lists.get(hotkey) ?? []).length > 0,
      ),
    ).toEqual([])
    expect(lists.get('5Miner1')).toEqual(WANTED)
    tally.count++
  }
  clearInterval(timer)
  expect(peak - before).toBeLessThan(32 << 20)
})

test('control: polled one after the other, as in 4.4.1, two silent miners alone take longer', async () => {
  await setBehaviour([0, 0, 0])
  const dispatcher = createMinerAgent()
  const signer = await hotkeyOf(200)
  const startedAt = performance.now()
  for (const uid of [1, 2])
    await listModels({ url, hotkey: `5Miner${uid}` }, { clock: systemClock, signer, dispatcher })
  await dispatcher.destroy()
  expect(performance.now() - startedAt).toBeGreaterThan(3500)
})
