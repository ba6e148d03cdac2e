import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'
import { TargonError } from '../errors.js'
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
    /** Wall clock, milliseconds: by then the release must have proven healthy. */
    deadline: z.number().int(),
  }),
])

export type UpdateState = z.output<typeof updateState>

export const FIRST_STATE: UpdateState = { state: 'committed', highest: '0.0.0', committed: [], bad: [] }

/** @throws TargonError UPDATE_STATE_DAMAGED; a missing file is the first state. */
export async function readState(layout: Layout): Promise<UpdateState> {
  let text: string
  try {
    text = await readFile(layout.state, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return FIRST_STATE
    throw error
  }
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

/** Atomic and durable: written aside, synced, renamed, folder synced. */
export async function writeState(layout: Layout, state: UpdateState): Promise<void> {
  const aside = `${layout.state}.tmp`
  const file = await open(aside, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(state)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(aside, layout.state)
  await syncFolder(dirname(layout.state))
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
