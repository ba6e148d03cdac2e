import { createHash } from 'node:crypto'
import { rename } from 'node:fs/promises'
import { z } from 'zod'
import { parseJson, readIfExists, removeStaged, replaceFile } from '../kernel/index.js'
import type { WeightEntry } from './weights-types.js'

/**
 * What this node did about the weights of an epoch. Written before the act, so that a process killed at any point finds on
 * its next start which submissions may still land.
 */
const entrySchema = z.object({
  epoch: z.number().int().nonnegative(),
  /**
   * `submitted`: signed and perhaps sent; `confirmed`: on chain; `refused`: by the chain; `skipped`: nothing to set.
   */
  status: z.enum(['submitted', 'confirmed', 'refused', 'skipped']),
  /** For `refused` and `skipped`. */
  reason: z.string().optional(),
  /** SHA-256 of the weights. */
  vectorHash: z.string().optional(),
  extrinsicHash: z.string().optional(),
  nonce: z.number().int().nonnegative().optional(),
  path: z.enum(['direct', 'commit']).optional(),
  /** Block of the decision; once confirmed, of the inclusion. */
  block: z.number().int().nonnegative(),
  /** For path `commit`: first block at which the chain reveals the weights. */
  revealBlock: z.number().int().nonnegative().optional(),
  /** The weights of a commit that is not revealed yet. */
  vector: z.array(z.tuple([z.number(), z.number()])).optional(),
})

export type LedgerEntry = z.infer<typeof entrySchema>

const fileSchema = z.object({
  version: z.literal(1),
  hotkey: z.string(),
  netuid: z.number(),
  genesisHash: z.string(),
  entries: z.array(entrySchema),
})

/** Whose ledger it is; that of another hotkey, subnet or chain is not used. */
export interface LedgerOwner {
  readonly hotkey: string
  readonly netuid: number
  readonly genesisHash: string
}

export interface WeightsLedger {
  /** Whether the file existed and was valid. */
  readonly hasHistory: boolean
  /** Newest first. */
  readonly entries: readonly LedgerEntry[]
  find(epoch: number): LedgerEntry | undefined
  /** Replaces the epoch's entry; resolves once it is on disk. */
  write(entry: LedgerEntry): Promise<void>
}

/** Three days of epochs of 360 blocks. */
const KEPT_ENTRIES = 64

/**
 * Opens the ledger file. A missing file is an empty ledger; a damaged or foreign one is quarantined and counts as missing.
 *
 * @param onQuarantined called with the new path of an unusable file.
 */
export async function openLedger(
  path: string,
  owner: LedgerOwner,
  onQuarantined: (file: string, reason: string) => void = () => {},
): Promise<WeightsLedger> {
  // The caller holds the hotkey lock, so no other process is writing.
  await removeStaged(path)
  const read = await readLedger(path, owner)
  if (typeof read === 'string') {
    const quarantined = `${path}.${read}`
    await rename(path, quarantined)
    onQuarantined(quarantined, read)
  }
  let entries = typeof read === 'string' ? [] : (read ?? [])
  let writing: Promise<void> = Promise.resolve()
  return {
    hasHistory: Array.isArray(read),
    get entries() {
      return entries
    },
    find: (epoch) => entries.find((entry) => entry.epoch === epoch),
    write(given) {
      // Parsed, so that nothing is written that cannot be read, and in the order of the schema: releases before this one
      // compare the text with what the schema makes of it, and take any other order for damage after a roll-back.
      const entry = entrySchema.parse(given)
      const rest = entries.filter(({ epoch }) => epoch !== entry.epoch)
      entries = [entry, ...rest].sort((a, b) => b.epoch - a.epoch).slice(0, KEPT_ENTRIES)
      const content = seal({ version: 1, ...owner, entries })
      writing = writing.catch(() => {}).then(() => replaceFile(path, content))
      return writing
    },
  }
}

export function hashVector(entries: readonly WeightEntry[]): string {
  return sha256(JSON.stringify(entries.map(({ uid, weightU16 }) => [uid, weightU16])))
}

async function readLedger(
  path: string,
  owner: LedgerOwner,
): Promise<LedgerEntry[] | undefined | 'damaged' | 'foreign'> {
  const text = await readIfExists(path)
  if (text === undefined) return undefined
  const body = unseal(text)
  const parsed = fileSchema.safeParse(body === undefined ? undefined : parseJson(body))
  if (!parsed.success) return 'damaged'
  const { hotkey, netuid, genesisHash, entries } = parsed.data
  const isOurs = hotkey === owner.hotkey && netuid === owner.netuid && genesisHash === owner.genesisHash
  return isOurs ? entries : 'foreign'
}

/** The content as JSON, with the checksum of that very text as its last member. */
function seal(content: z.infer<typeof fileSchema>): string {
  const body = JSON.stringify(content)
  return `${body.slice(0, -1)},"checksum":"${sha256(body)}"}\n`
}

/**
 * The text that was sealed; undefined when its checksum does not match. The bytes decide, before anything is parsed: a schema
 * may return the same content with its keys in another order.
 */
function unseal(text: string): string | undefined {
  const seal = /,"checksum":"([0-9a-f]{64})"\}\n$/.exec(text)
  if (!seal) return undefined
  const body = `${text.slice(0, seal.index)}}`
  return sha256(body) === seal[1] ? body : undefined
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
