import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { layoutOf, readState } from '../../../../src/autoupdate/index.js'
import { resolveSettings } from '../../../../src/config/index.js'
import { type Clock, systemClock } from '../../../../src/kernel/clock.js'
import { createDeferred } from '../../../../src/kernel/deferred.js'
import { openSelfUpdate } from '../../../../src/roles/self-update.js'
import { validatorStatus } from '../../../../src/roles/validator/index.js'
import { startFakeMiner } from '../../../support/fake-miner.js'
import { pathWithQuickNpm, ReleaseRepository } from '../../../support/release-repository.js'
import { createRig, createRigEngine, MODEL, type Rig } from '../validator-rig.js'

const open: { dispose?(): Promise<void>; close?(): Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0)) await (thing.dispose?.() ?? thing.close?.())
})

/** A validator with one honest miner, and the blocks at which it could check for an update. */
async function rigWithNotes() {
  const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
  const checks: number[] = []
  const rig: Rig = await createRig(
    [miner],
    {},
    { afterWeights: async () => void checks.push(rig.chain.head().number) },
  )
  open.push(rig, miner)
  await rig.start()
  await rig.logged(({ event, verdict }) => event === 'verdict' && verdict === 'verified')
  return { rig, checks }
}

it('checks for an update once per epoch, after its weights are on chain', async () => {
  const { rig, checks } = await rigWithNotes()
  expect(checks).toEqual([])
  rig.chain.grow(121)
  await rig.logged(({ event }) => event === 'weights-set')
  await expect.poll(() => checks).toEqual([121])
  for (const block of [122, 125, 140, 149]) rig.chain.grow(block)
  rig.chain.grow(150)
  await expect.poll(() => checks).toEqual([121, 150])
})

it('does not check for an update before the weights of the epoch are set', async () => {
  const { rig, checks } = await rigWithNotes()
  rig.chain.answers.push({ kind: 'unconfirmed', reason: 'no block took it' })
  rig.chain.grow(121)
  await expect.poll(() => rig.chain.answers).toEqual([])
  expect(checks).toEqual([])
  await expect
    .poll(
      () => {
        rig.chain.grow(rig.chain.head().number + 1)
        return checks.length
      },
      { timeout: 20_000 },
    )
    .toBe(1)
  expect(rig.chain.submissions).toHaveLength(1)
})

it('puts a new release on probation and requests a restart after the weights are set', async () => {
  const repository = new ReleaseRepository()
  await repository.release('99.0.0')
  const miner = await startFakeMiner({ models: [MODEL], gapMs: 1 })
  const root = join(repository.folder, 'root')
  const window = () => {
    const block = rig.chain.head().number
    return { block, nextWeightsBlock: (Math.floor(block / 100) + 1) * 100 }
  }
  const restarts: string[] = []
  // The delay of up to half an hour by hotkey passes at once.
  const clock = { ...systemClock, sleep: async () => {} }
  const settings = resolveSettings('validator', {
    flags: {
      'update.url': repository.remote,
      'update.signers': repository.signers,
      'update.root': root,
      launched: true,
    },
    env: {},
  }).values
  const surroundings = {
    node: { version: process.versions.node, path: process.execPath },
    env: { PATH: pathWithQuickNpm(), HOME: repository.folder },
  }
  const rig: Rig = await createRig(
    [miner],
    { 'epoch-length': 100 },
    {
      afterWeights: async () =>
        await openSelfUpdate(settings, 'hotkey', surroundings, {
          clock,
          log: rig.deps.log,
          signal: rig.deps.signal,
          restart: (reason) => void restarts.push(`${reason} at ${rig.chain.head().number}`),
        }).afterWeights(window)(),
    },
  )
  open.push(rig, miner)
  await rig.start()
  await rig.logged(({ event, verdict }) => event === 'verdict' && verdict === 'verified')
  expect(existsSync(root)).toBe(false)
  rig.chain.grow(200)
  await expect.poll(() => restarts).toEqual(['update at 200'])
  expect(await readState(layoutOf(root))).toMatchObject({ state: 'probation', to: '99.0.0' })
})

/** Waits take a fiftieth of their time. */
const fastClock: Clock = {
  now: systemClock.now,
  monotonic: () => systemClock.monotonic() * 50,
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
}

it('starts the engines in the background, and looks after one that is missing while another works', async () => {
  const refreshed: { why: string; at: number }[] = []
  let isUp = false
  const engine = createRigEngine()
  const never = createDeferred<void>()
  const rig = await createRig(
    [],
    { 'epoch-length': 1000 },
    {
      clock: fastClock,
      models: { current: () => [MODEL, 'org/other'], refresh: async () => {} },
      engines: () => [engine, ...(isUp ? [createRigEngine('org/other')] : [])],
      explainEngine: () => ({ reason: 'its container has exited', next: 'Read its log.' }),
      refreshEngines: async (_, why) => {
        refreshed.push({ why, at: fastClock.monotonic() })
        isUp = refreshed.length > 2
        // The last one hangs, which keeps nothing from running.
        if (isUp) await never.promise
      },
    },
  )
  try {
    const { url: statusUrl } = await rig.start()
    const status = async () => validatorStatus.parse(await (await fetch(`${statusUrl}/status`)).json())
    const metric = async () => (await (await fetch(`${statusUrl}/metrics`)).text()).match(/engine_ready\{.*/g)
    expect((await status()).engines).toEqual([
      { model: MODEL, ready: true },
      { model: 'org/other', ready: false, reason: 'its container has exited', next: 'Read its log.' },
    ])
    expect(await metric()).toEqual([`engine_ready{model="${MODEL}"} 1`, 'engine_ready{model="org/other"} 0'])
    let block = rig.chain.head().number
    await expect
      .poll(
        () => {
          rig.chain.grow(++block)
          return refreshed.map(({ why }) => why)
        },
        { interval: 5 },
      )
      .toEqual(['start', 'revival', 'revival'])
    const [first = 0, second = 0, third = 0] = refreshed.map(({ at }) => at)
    expect(second - first).toBeGreaterThan(29_000)
    expect(third - second).toBeGreaterThan(59_000)
    expect(await metric()).toContain('engine_ready{model="org/other"} 1')
    await fastClock.sleep(70_000)
    expect(refreshed).toHaveLength(3)
  } finally {
    never.resolve()
    await rig.dispose()
  }
})
