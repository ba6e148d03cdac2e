import { z } from 'zod'
import { readIfExists, replaceFile, TargonError } from '../kernel/index.js'
import type { Layout } from './layout.js'

const version = z.string().min(1)

/** `update.json`: the release on probation, the failed ones, and the versions this machine has committed. */
export const updateState = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('committed'),
    /** Highest version ever committed here; lower ones need an explicit request (R4). */
    highest: version,
    /** Every version committed here. */
    committed: z.array(version),
    /** Versions that failed here; they need an explicit request (R5). */
    bad: z.array(version),
  }),
  z.object({
    state: z.literal('probation'),
    highest: version,
    committed: z.array(version),
    bad: z.array(version),
    /** Release to roll back to; null when this is the first one. */
    from: version.nullable(),
    to: version,
    /** Starts so far, incremented by the launcher before each start. */
    attempts: z.number().int().min(0),
    /** Unix time in ms by which the release must be healthy; the launcher sets it at the start and again at readiness. */
    deadline: z.number().int().nullable(),
  }),
])

export type UpdateState = z.output<typeof updateState>

export const FIRST_STATE: UpdateState = { state: 'committed', highest: '0.0.0', committed: [], bad: [] }

/** @returns `FIRST_STATE` when there is no file. @throws TargonError UPDATE_STATE_DAMAGED. */
export async function readState(layout: Layout): Promise<UpdateState> {
  const text = await readIfExists(layout.state)
  if (text === undefined) return FIRST_STATE
  try {
    return updateState.parse(JSON.parse(text))
  } catch (error) {
    throw new TargonError(
      `The update state ${layout.state} cannot be read.`,
      {
        code: 'UPDATE_STATE_DAMAGED',
        fault: 'update',
        next: 'Inspect the file. Deleting it forgets which releases failed and which version was the highest.',
      },
      { cause: error },
    )
  }
}

export async function writeState(layout: Layout, state: UpdateState): Promise<void> {
  await replaceFile(layout.state, `${JSON.stringify(state)}\n`)
}
