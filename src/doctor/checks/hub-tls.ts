import { stat } from 'node:fs/promises'
import { isSpecialAddress } from '../../kernel/index.js'
import type { Check, HubContext } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'

const DAY_MS = 86_400_000
/** Certificates that renew themselves do so 30 days before their end. */
const SOON_DAYS = 21
const RENEW = 'Renew it; a running hub reloads it within ten minutes.'

/** The certificate of the hub, or whether users’ keys are sent unencrypted without one. */
export const hubTlsCheck: Check<HubContext> = {
  id: 'tls',
  title: 'reading the certificate',
  run: async ({ settings, clock }) => {
    const { readTls } = await import('../../roles/hub/gateway/index.js')
    const tls = await readTls(settings)
    if (tls === undefined) return [plainFinding(settings['hub.ip'], settings['hub.trusted-proxies'])]
    const { fromMs, untilMs } = tls.validity
    const until = new Date(untilMs).toISOString().slice(0, 10)
    const now = clock.now()
    if (now >= untilMs) return [fail(`The certificate of the hub was valid until ${until}.`, RENEW)]
    if (now < fromMs)
      return [
        fail(
          `The certificate of the hub is valid only from ${new Date(fromMs).toISOString()} on.`,
          'Check the clock of this machine, or use another certificate.',
        ),
      ]
    const days = Math.floor((untilMs - now) / DAY_MS)
    const found = [
      ...(days < SOON_DAYS
        ? [warn(`The certificate of the hub is valid for ${days} more days.`, RENEW)]
        : []),
      ...(await exposedKey(settings['hub.tls-key'])),
    ]
    return found.length > 0
      ? found
      : [ok(`The hub serves HTTPS with a certificate that is valid until ${until}.`)]
  },
}

/** Mode bits of others: tools that renew certificates give the key to a group. */
const OTHERS = 0o007

async function exposedKey(file: string | undefined): Promise<Seen[]> {
  if (file === undefined || ((await stat(file)).mode & OTHERS) === 0) return []
  return [warn(`Every user of this machine can read the private key ${file}.`, `Run: chmod o= ${file}`)]
}

const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

function plainFinding(ip: string, proxies: readonly string[]): Seen {
  if (ip === 'localhost' || ip === '::1' || ip.startsWith('127.'))
    return ok('The hub listens on loopback only; a proxy with TLS may stand in front.')
  // A proxy on another machine, as in a cluster, reaches the hub by a private network.
  if (proxies.length > 0 && (ANY_ADDRESS.has(ip) || isSpecialAddress(ip)))
    return ok(`The hub listens on ${ip} without TLS, behind the proxies of --hub.trusted-proxies.`)
  return warn(
    `The hub listens on ${ip} without TLS, so keys and prompts are sent unencrypted.`,
    'Give it --hub.tls-cert and --hub.tls-key, or listen on 127.0.0.1 behind a proxy with TLS.',
  )
}
