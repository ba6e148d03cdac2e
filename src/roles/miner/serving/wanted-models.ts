import { z } from 'zod'
import { exceedsJsonDepth, parseJson, putNewest } from '../../../kernel/index.js'

/** Validators remembered; each sends its list about once per epoch. */
const MAX_SENDERS = 256

/** Room for far more names than are kept; a list is read on the thread of the streams. */
const MAX_BYTES = 256 << 10
const MAX_DEPTH = 8

const list = z.array(z.unknown()).max(10_000)
const name = z.string().regex(/^[\w.\-/:@+]{1,200}$/)
const MAX_NAMES = 512

/** The models that validators request: the last list of each, without invalid names. */
export interface WantedModels {
  /** @returns false when the body is not a list. */
  take(hotkey: string, body: Buffer): boolean
  /** Names that were read already. */
  note(hotkey: string, names: readonly string[]): void
  report(): { readonly hotkey: string; readonly models: readonly string[] }[]
}

export function createWantedModels(): WantedModels {
  const lists = new Map<string, readonly string[]>()
  const note = (hotkey: string, names: readonly string[]) => putNewest(lists, hotkey, names, MAX_SENDERS)
  return {
    note,
    take: (hotkey, body) => {
      const names = readWantedNames(body)
      if (names !== undefined) note(hotkey, names)
      return names !== undefined
    },
    report: () => [...lists].map(([hotkey, models]) => ({ hotkey, models })),
  }
}

/** The valid names in a body, each once; undefined when it is not a list. */
export function readWantedNames(body: Buffer): string[] | undefined {
  if (body.length > MAX_BYTES || exceedsJsonDepth(body, MAX_DEPTH)) return undefined
  const parsed = list.safeParse(parseJson(body.toString('utf8')))
  if (!parsed.success) return undefined
  const names = parsed.data.flatMap((item) => {
    const good = name.safeParse(item)
    return good.success ? [good.data] : []
  })
  return [...new Set(names)].slice(0, MAX_NAMES)
}
