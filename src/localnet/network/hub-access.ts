import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { type Clock, messageOf, parseJson, TargonError, withDeadline } from '../../kernel/index.js'
import type { SelfCommand } from './child.js'

const run = promisify(execFile)

const TIMEOUT_MS = 60_000
const createdKey = z.object({ secret: z.string() })
const hubStatus = z.object({ url: z.string() })

export interface CommandOptions {
  readonly self: SelfCommand
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly signal: AbortSignal
}

/** Creates an API key of the hub. @throws TargonError LOCALNET_HUB_KEY with what the command said */
export async function createUserKey(
  args: readonly string[],
  { self, env, cwd, signal }: CommandOptions,
): Promise<string> {
  const { stdout } = await run(self.command, [...self.args, ...args], {
    ...{ cwd, env: { ...env }, signal, timeout: TIMEOUT_MS },
  }).catch((cause: unknown) => {
    if (signal.aborted) throw cause
    throw keyError(messageOf(cause), cause)
  })
  const created = createdKey.safeParse(parseJson(stdout))
  if (!created.success) throw keyError('the command printed no key')
  return created.data.secret
}

function keyError(why: string, cause?: unknown): TargonError {
  return new TargonError(
    `The localnet could not create a key for the users of its hub: ${why}`,
    {
      code: 'LOCALNET_HUB_KEY',
      fault: 'runtime',
      next: 'Read the message above for the cause, fix it and start the localnet again.',
    },
    { cause },
  )
}

/** Address of the API of the hub with this status server. */
export async function readHubUrl(
  statusUrl: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string> {
  return await withDeadline(clock, 'Reading the hub’s status', TIMEOUT_MS, signal, async (inner) => {
    const response = await fetch(new URL('/status', statusUrl), { signal: inner, redirect: 'error' })
    return hubStatus.parse(await response.json()).url
  })
}
