import { inheritableEnvironment } from '../config/index.js'
import { type Clock, isAbort, systemClock } from '../kernel/index.js'
import { selfCommand } from './self-command.js'
import { runUntilStopped } from './shutdown.js'

/** An embedded network with one role missing; the shape of roles/localnet, which cli/ does not import. */
export interface SurroundingNetwork {
  /** Flags that place the role in this network. */
  readonly arguments: readonly string[]
  readonly death: Promise<never>
  stop(): Promise<void>
}

export type StartNetworkAround = (
  role: 'miner' | 'validator',
  options: { self: { command: string; args: string[] }; env: Record<string, string>; seed?: string },
  deps: { clock: Clock; signal: AbortSignal; onProgress: (line: string) => void },
) => Promise<SurroundingNetwork>

/** `--mock`: brings up the embedded network, serves the role in it, and takes the network down whatever happens. */
export async function serveMocked<T>(
  role: 'miner' | 'validator',
  startNetworkAround: StartNetworkAround,
  options: { readonly seed?: string | undefined; readonly exitWithStdin: boolean },
  onProgress: (line: string) => void,
  serve: (network: SurroundingNetwork) => Promise<T>,
): Promise<T | undefined> {
  const { seed, exitWithStdin } = options
  const given = {
    self: selfCommand(),
    env: inheritableEnvironment(),
    ...(seed === undefined ? {} : { seed }),
  }
  const network = await runUntilStopped({ exitWithStdin }, async (signal) => {
    try {
      return await startNetworkAround(role, given, { clock: systemClock, signal, onProgress })
    } catch (error) {
      if (signal.aborted && isAbort(error)) return undefined
      throw error
    }
  })
  // stopped while the network was coming up: a clean end
  if (network === undefined) return undefined
  try {
    return await serve(network)
  } finally {
    await network.stop()
  }
}
