import { type Clock, messageOf, withDeadline } from '../../../kernel/index.js'

/** A slow disk delays rounds by no more than this. */
const SAVE_TIMEOUT_MS = 10_000

export interface Saver {
  /** Never rejects and never hangs: if the disk is full or does not respond, what is to be saved stays in memory. */
  save(): Promise<void>
  /** Why the last save failed; undefined when it succeeded. */
  readonly trouble: () => string | undefined
}

/**
 * Saves with a deadline. A save that hangs is waited for before another starts: serialised books must not pile up in memory.
 *
 * @param what for messages, such as `saving the scores`
 * @param report told of the first of several failures, and of the first success after them
 */
export function createSaver(
  { clock }: { readonly clock: Clock },
  what: string,
  write: () => Promise<void>,
  report: { readonly failed: (error: unknown) => void; readonly recovered: () => void },
): Saver {
  let trouble: string | undefined
  let pending: Promise<void> | undefined
  const writeNext = async () => {
    await pending
    const saving = write()
    pending = saving
      .catch(() => {})
      .finally(() => {
        pending = undefined
      })
    await saving
    if (trouble !== undefined) report.recovered()
    trouble = undefined
  }
  return {
    trouble: () => trouble,
    save: () =>
      withDeadline(clock, what, SAVE_TIMEOUT_MS, undefined, writeNext).catch((error: unknown) => {
        if (trouble === undefined) report.failed(error)
        trouble = messageOf(error)
      }),
  }
}
