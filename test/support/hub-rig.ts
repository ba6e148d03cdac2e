import { OpenAI } from 'openai'
import { pino } from 'pino'
import type { HubSettings } from '../../src/config/index.js'
import { systemClock } from '../../src/kernel/index.js'
import { type HubReport, startHub } from '../../src/roles/hub/index.js'
import type { HubDeps } from '../../src/roles/hub/types.js'
import { createFakeSubtensor, type FakeSubtensor, neuronOf } from './fake-subtensor.js'
import { hotkeyOf } from './hotkeys.js'
import { hubSettingsOf } from './hub-settings.js'
import { createMemoryAccounts, type MemoryAccounts } from './memory-accounts.js'
import { temporaryFolder } from './temporary-folder.js'

export interface HubRig {
  readonly url: string
  readonly statusUrl: string
  readonly openai: OpenAI
  readonly accounts: MemoryAccounts
  readonly subtensor: FakeSubtensor
  readonly logs: Record<string, unknown>[]
  readonly stateDir: string
  readonly stop: () => void
  readonly done: Promise<HubReport>
  close(): Promise<HubReport>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
}

export interface RigMiner {
  readonly port: number
  readonly coldkey?: string
  readonly incentive?: number
}

export interface RigOptions extends Partial<Pick<HubDeps, 'clock' | 'lockTimes' | 'stateDir'>> {
  readonly isRegistered?: boolean
}

/** The real hub role on free ports, before miners at these ports and a chain in memory. Uid 0 is its own hotkey. */
export async function startHubRig(
  miners: readonly RigMiner[],
  changes: Partial<HubSettings> = {},
  { isRegistered = true, ...given }: RigOptions = {},
): Promise<HubRig> {
  const signer = await hotkeyOf(1)
  const hotkeys = await Promise.all(miners.map((_, index) => hotkeyOf(index + 2)))
  const neurons = miners.map(({ port, ...facts }, index) => {
    const hotkey = hotkeys[index]?.address ?? ''
    const axon = { ip: '127.0.0.1', port, ipType: 4, protocol: 4, version: 1, block: 1 } as const
    return neuronOf({ uid: index + 1, hotkey, axon, incentive: 0.5, ...facts })
  })
  const own = neuronOf({ uid: 0, hotkey: signer.address, validatorPermit: true, stakeTao: 20_000 })
  const subtensor = createFakeSubtensor(isRegistered ? [own, ...neurons] : neurons)
  const logs: Record<string, unknown>[] = []
  const log = pino({ level: 'debug', base: null }, { write: (line) => void logs.push(JSON.parse(line)) })
  const stopping = new AbortController()
  const accounts = createMemoryAccounts()
  const stateDir = given.stateDir ?? temporaryFolder('hub')
  const running = await startHub(hubSettingsOf(changes), {
    ...{ clock: systemClock, log, signal: stopping.signal, stateDir, subtensor, signer, accounts },
    ...given,
  })
  const url = String(logs.find(({ event }) => event === 'hub-listening')?.url)
  return {
    ...{ url, accounts, subtensor, logs, stateDir },
    statusUrl: running.statusUrl,
    openai: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-good', maxRetries: 0 }),
    stop: () => stopping.abort(),
    done: running.done,
    close: () => {
      stopping.abort()
      return running.done
    },
    post: (path, body, headers = { authorization: 'Bearer sk-good' }) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  }
}
