import { fileURLToPath } from 'node:url'
import { Config, Errors } from '@oclif/core'
import { captureOutput } from '@oclif/test'
import { BaseCommand } from '../../src/cli/index.js'
import type { RoleSettings } from '../../src/config/index.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

let config: Promise<Config> | undefined

/** The oclif configuration of this package, without loading any command. */
export function loadConfig(): Promise<Config> {
  config ??= Config.load({ root })
  return config
}

type RunnableCommand = {
  run(argv: string[], options: Config): Promise<unknown>
}

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  readonly result: unknown
}

/** Runs a command from src in this process, with no variables or files but those given. */
export async function runCommand(command: RunnableCommand, argv: string[]): Promise<Outcome> {
  const loaded = await loadConfig()
  const written: string[] = []
  const write = process.stderr.write
  process.stderr.write = (text: string | Uint8Array) => {
    written.push(String(text))
    return true
  }
  try {
    const { stdout, stderr, error, result } = await captureOutput(() => command.run(argv, loaded), {
      print: false,
      stripAnsi: false,
    })
    return { status: statusOf(error), stdout, stderr: written.join('') + stderr, result }
  } finally {
    process.stderr.write = write
    process.exitCode = undefined
  }
}

function statusOf(error: unknown): number {
  if (error === undefined) return Number(process.exitCode ?? 0)
  if (error instanceof Errors.ExitError) return error.oclif.exit ?? 1
  throw error
}

/** A command of a role that only reads its settings. */
export function probeCommand(role: keyof RoleSettings, flags: (typeof BaseCommand)['flags']) {
  return class Probe extends BaseCommand {
    static override id = `probe:${role}`
    static override flags = flags
    async run(): Promise<unknown> {
      return this.runWith(role, async ({ settings }) => settings)
    }
  }
}
