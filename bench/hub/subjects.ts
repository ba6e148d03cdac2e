import { endProcess, forkScript, messageFrom, meter, SUBJECT_CORE, type Subject } from '../miner/processes.js'

/** Our hub as a process to measure. */
export interface HubSubject extends Subject {
  /** The key that callers send. */
  readonly key: string
  /** Its memory after a full collection; it must have been started with `isExposingGc`. */
  memory(): Promise<NodeJS.MemoryUsage>
}

export interface HubOptions {
  readonly minerPort: number
  /** 0 keeps nothing for validators. */
  readonly retainSeconds: number
  readonly retainBytes?: number
  readonly isExposingGc?: boolean
}

/** All its threads share the core of the measured process. */
export async function startHubSubject(
  name: string,
  { minerPort, retainSeconds, retainBytes = 256 << 20, isExposingGc = false }: HubOptions,
): Promise<HubSubject> {
  const args = [minerPort, retainSeconds, retainBytes].map(String)
  const child = await forkScript('hub', args, SUBJECT_CORE, isExposingGc ? ['--expose-gc'] : [])
  const { port, key } = await messageFrom<{ port: number; key: string }>(child)
  return {
    ...{ name, port, key },
    ...meter(child.pid ?? 0),
    memory: async () => {
      const answer = messageFrom<NodeJS.MemoryUsage>(child)
      child.send('memory')
      return await answer
    },
    stop: () => endProcess(child, 'SIGTERM'),
  }
}
