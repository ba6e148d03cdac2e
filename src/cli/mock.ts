import { inheritableEnvironment } from '../config/index.js'
import { type Clock, systemClock } from '../kernel/index.js'
import { selfCommand } from './self-command.js'
import { runUntilStopped } from './shutdown.js'
import { unblockStandardError } from './standard-error.js'

/** An embedded network without one role, as localnet/ starts it (cli/ does not import localnet/). */
export interface SurroundingNetwork {
  /** Flags that place the missing role in this network. */
  readonly arguments: readonly string[]
  readonly death: Promise<never>
  stop(): Promise<void>
}

export type StartNetworkAround = (
  role: 'miner' | 'validator' | 'hub',
  options: {
    self: { command: string; args: string[] }
    env: Record<string, string>
    seed?: string
    hubPort?: number
  },
  deps: { clock: Clock; signal: AbortSignal; onProgress: (line: string) => void },
) => Promise<SurroundingNetwork>

/** `--mock`: starts the embedded network, runs the role in it, and always stops the network afterwards. */
export async function serveMocked<T>(
  role: 'miner' | 'validator' | 'hub',
  startNetworkAround: StartNetworkAround,
  options: {
    readonly seed?: string | undefined
    /** Port of a hub, at which the network expects it. */
    readonly hubPort?: number | undefined
    readonly exitWithStdin: boolean
  },
  onProgress: (line: string) => void,
  serve: (network: SurroundingNetwork) => Promise<T>,
): Promise<T | undefined> {
  const { seed, hubPort, exitWithStdin } = options
  unblockStandardError()
  const networkOptions = {
    self: selfCommand(),
    env: inheritableEnvironment(),
    ...(seed === undefined ? {} : { seed }),
    ...(hubPort === undefined ? {} : { hubPort }),
  }
  const network = await runUntilStopped({ exitWithStdin }, async (signal) => {
    try {
      return await startNetworkAround(role, networkOptions, { clock: systemClock, signal, onProgress })
    } catch (error) {
      // Ctrl-C in a terminal also ends the processes of the network, which is reported as their death
      if (signal.aborted) return undefined
      throw error
    }
  })
  // Stopped during startup: a clean exit.
  if (network === undefined) return undefined
  try {
    return await serve(network)
  } finally {
    await network.stop()
  }
}
