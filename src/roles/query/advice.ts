import type { Miner } from './miners.js'

/** How messages name a miner: `with uid 3 at http://203.0.113.1:8091`. */
export function nameOf({ uid, url }: Miner): string {
  return uid === undefined ? `at ${url}` : `with uid ${uid} at ${url}`
}

/** What to do about a miner that answered with this HTTP status; 0 when it sent none. */
export function adviceFor(status: number): string {
  if (status === 400)
    return 'If the message is about the request, change the request; otherwise check the clock (NTP) and the hotkey it was signed for.'
  if (status === 401 || status === 403)
    return 'The miner rejects this hotkey: callers must be registered, and most miners require stake.'
  if (status === 404) return 'The miner does not serve this model. Run targon query --list to see who does.'
  if (status === 429 || status === 503) return 'The miner is busy. Try again later, or query another miner.'
  return 'Query another miner. Run targon query --list to see who serves the model.'
}
