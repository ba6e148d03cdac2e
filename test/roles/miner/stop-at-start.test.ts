import { pino } from 'pino'
import { afterEach, describe, expect, it } from 'vitest'
import { connectSubtensor, type SubtensorClient } from '../../../src/chain/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { type DevelopmentChain, startDevelopmentChain } from '../../../src/localnet/chain/index.js'
import { startMiner } from '../../../src/roles/miner/index.js'
import { hotkeyOf } from '../../support/hotkeys.js'
import { minerSettingsOf } from '../../support/miner-rig.js'

let dev: DevelopmentChain
let chain: SubtensorClient

afterEach(async () => {
  dev.faults.clear()
  await chain.close()
  await dev.close()
})

/** Calls during the start at which the chain stops answering. */
const WAITS = ['metagraph', 'serveAxon'] as const

describe('a miner stopped before it serves', () => {
  it.each(WAITS)('ends at once while it waits for %s from a silent chain', async (wait) => {
    const signer = await hotkeyOf(1)
    dev = await startDevelopmentChain({
      sealing: 'auto',
      neurons: [{ hotkey: signer.publicKey, coldkey: signer.publicKey }],
    })
    const log = pino({ level: 'silent' })
    const connection = new AbortController()
    chain = await connectSubtensor(
      { endpoints: [dev.url], rpcTimeoutMs: 60_000, headTimeoutMs: 60_000 },
      { clock: systemClock, log, signal: connection.signal },
    )
    let reached = () => {}
    const waiting = new Promise<void>((resolve) => {
      reached = resolve
    })
    const silenceAt = (call: (typeof WAITS)[number]) => {
      if (call !== wait) return
      dev.faults.set({ silent: true })
      reached()
    }
    const watched = {
      metagraph: (...args: Parameters<SubtensorClient['metagraph']>) => {
        silenceAt('metagraph')
        return chain.metagraph(...args)
      },
      serveAxon: (...args: Parameters<SubtensorClient['serveAxon']>) => {
        silenceAt('serveAxon')
        return chain.serveAxon(...args)
      },
    }
    const subtensor = new Proxy(chain, {
      get: (target, name) => {
        const member = Reflect.get(watched, name) ?? Reflect.get(target, name)
        return typeof member === 'function' ? member.bind(target) : member
      },
    })
    const stopping = new AbortController()
    const starting = startMiner(minerSettingsOf(), {
      clock: systemClock,
      log,
      signal: stopping.signal,
      stateDir: '/nonexistent',
      subtensor,
      signer,
    })
    await Promise.race([waiting, starting])
    const from = performance.now()
    stopping.abort(new DOMException('stopped by SIGTERM', 'AbortError'))
    // It either failed to start, or started and drained immediately.
    const end = await starting.then(({ done }) => done).catch((error: Error) => error.name)
    expect(['AbortError', expect.objectContaining({ role: 'miner', cut: 0 })]).toContainEqual(end)
    expect(performance.now() - from).toBeLessThan(20_000)
  })
})
