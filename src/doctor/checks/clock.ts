import type { Check, Context } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen, skip, warn } from '../finding.js'
import { serverAheadMs } from './server-clock.js'

/** Signed requests are refused beyond 8 s; half of it leaves room for the other clock. */
const FAR_MS = 4000
const NOTABLE_MS = 2000
/** A block is at most this old when it is read, after production, import and propagation. */
const USUAL_BLOCK_AGE_MS = 15_000
const NTP = 'Turn on time synchronisation (timedatectl set-ntp true, or chrony) on this machine.'

/** Compares the local clock with the Date of servers that the neuron uses, and with the time of the newest block. */
export function clockCheck<C extends Context>(
  serversOf: (context: C) => Promise<readonly string[]>,
): Check<C> {
  return {
    id: 'clock',
    title: 'the time of other machines',
    deadlineMs: 45_000,
    run: async (context, signal) => {
      const report = await factsOf(context).endpoint()
      const addresses = [...new Set([...(report ? [report.endpoint] : []), ...(await serversOf(context))])]
      const stated = await Promise.all(
        addresses.map(async (address) => ({
          host: new URL(address).host,
          aheadMs: await serverAheadMs(address, context, signal),
        })),
      )
      const dated = stated.flatMap(({ host, aheadMs }) => (aheadMs === undefined ? [] : [{ host, aheadMs }]))
      const [nearest] = [...dated].sort((a, b) => Math.abs(a.aheadMs) - Math.abs(b.aheadMs))
      // One server with a wrong clock does not make the local one wrong.
      if (nearest) return [judge(nearest.aheadMs, `the Date of ${nearest.host}`)]
      if (report?.madeAtMs === undefined) return [skip('No other machine told the time.')]
      const ageMs = report.readAtMs - report.madeAtMs
      const behindMs = ageMs < 0 ? -ageMs : Math.min(0, USUAL_BLOCK_AGE_MS + 2 * report.blockTimeMs - ageMs)
      return [judge(behindMs, 'the time of the newest block')]
    },
  }
}

/** @param aheadMs of the other clock before the local one */
function judge(aheadMs: number, what: string): Seen {
  const apart = Math.abs(aheadMs)
  const saw = `The local clock is ${(apart / 1000).toFixed(1)} s ${aheadMs > 0 ? 'behind' : 'ahead of'} ${what}`
  if (apart > FAR_MS) return fail(`${saw}; miners and validators refuse requests that are 8 s off.`, NTP)
  if (apart > NOTABLE_MS) return warn(`${saw}.`, NTP)
  return ok(`The local clock agrees with ${what}.`)
}
