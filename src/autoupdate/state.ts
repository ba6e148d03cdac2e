import { z } from 'zod'
import { readIfExists, replaceFile, TargonError } from '../kernel/index.js'
import type { Layout } from './layout.js'

const version = z.string().min(1)

/** `update.json`: which release is on trial, which ones failed, and how far this machine ever got. */
export const updateState = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('committed'),
    /** Highest version ever committed here: nothing below it is taken unasked. */
    highest: version,
    /** Every version committed here. */
    committed: z.array(version),
    bad: z.array(version),
  }),
  z.object({
    state: z.literal('probation'),
    highest: version,
    committed: z.array(version),
    bad: z.array(version),
    /** Release to go back to; null when this is the first one. */
    from: version.nullable(),
    to: version,
    /** Starts so far; the launcher counts before each. */
    attempts: z.number().int().min(0),
    /** Wall clock, milliseconds: by then it must have proven healthy; set by the launcher when it starts and when it is ready. */
    deadline: z.number().int().nullable(),
  }),
])

export type UpdateState = z.output<typeof updateState>

export const FIRST_STATE: UpdateState = { state: 'committed', highest: '0.0.0', committed: [], bad: [] }

/** @throws TargonError UPDATE_STATE_DAMAGED; a missing file is the first state. */
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
        next: 'Look at the file; removing it forgets which releases failed and which was the highest.',
      },
      { cause: error },
    )
  }
}

export async function writeState(layout: Layout, state: UpdateState): Promise<void> {
  await replaceFile(layout.state, `${JSON.stringify(state)}\n`)
}
