import type { Check, HubContext } from '../context.js'
import { factsOf } from '../facts.js'
import { ok, type Seen, warn } from '../finding.js'
import { nearestExisting } from './disk.js'

const MIB = 1 << 20

/** Whether requests can be kept for validators: the key that encrypts them, and room for them. */
export const hubRecordsCheck: Check<HubContext> = {
  id: 'records',
  title: 'reading the key and the room of kept requests',
  run: async (context) => {
    const { 'hub.retain': retain, 'hub.retain-key-file': keyFile } = context.settings
    if (retain === 0) return [ok('No request is kept for validators (--hub.retain 0).')]
    const { readSealingKey } = await import('../../roles/hub/organics/index.js')
    if (keyFile !== undefined) await readSealingKey(keyFile)
    const how = keyFile === undefined ? 'readable to this user only' : 'encrypted'
    const short = await roomFinding(context)
    return short ? [short] : [ok(`Requests are kept for ${Math.round(retain / 360) / 10} h, ${how}.`)]
  },
}

async function roomFinding(context: HubContext): Promise<Seen | undefined> {
  const { settings, stateDir, machine } = context
  const path = await nearestExisting(stateDir ?? settings['logging.logging_dir'])
  const running = await factsOf(context).running()
  const missing = settings['hub.retain-bytes'] - (running?.records?.bytes ?? 0)
  const free = await machine.freeBytes(path)
  if (free >= missing) return undefined
  return warn(
    `Kept requests may take ${Math.ceil(missing / MIB)} MiB more, and ${Math.floor(free / MIB)} MiB are free for ${path}.`,
    'Free space on this disk, or set a smaller --hub.retain-bytes.',
  )
}
