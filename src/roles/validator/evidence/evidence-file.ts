import { z } from 'zod'
import { evidenceBookData } from '../../../evidence/index.js'
import { type Log, messageOf, openCheckedFile, TargonError } from '../../../kernel/index.js'

const noise = z.object({
  logitScale: z.number().positive(),
  residual: z.number().positive(),
  unexplained: z.number().positive(),
})

const content = z.object({
  book: evidenceBookData,
  /** By model: the levels at which its answers were weighed. */
  levels: z
    .array(z.tuple([z.string().max(512), z.object({ suspicion: noise, enforced: noise })]))
    .max(10_000),
})

/** What is kept of the evidence on disk, beside the scores and in the same way. */
export type StoredEvidence = z.infer<typeof content>

export interface EvidenceFile {
  /** Empty when there is none or it is damaged. @throws TargonError EVIDENCE_FILE_UNREADABLE (fault usage) */
  load(): Promise<StoredEvidence>
  save(stored: StoredEvidence): Promise<void>
}

const EMPTY: StoredEvidence = { book: { version: 1, pairs: [] }, levels: [] }

export function openEvidenceFile(path: string, log: Log): EvidenceFile {
  const file = openCheckedFile(path, 'targon-evidence', (value) => content.safeParse(value).data)
  return {
    load: async () => {
      const loaded = await file.load().catch((error: unknown) => {
        throw new TargonError(
          `Could not read the evidence file ${path}: ${messageOf(error)}.`,
          { code: 'EVIDENCE_FILE_UNREADABLE', fault: 'usage', next: 'Correct its permissions.' },
          { cause: error },
        )
      })
      if (loaded.kind === 'content') {
        if (loaded.generation === 'previous')
          log.warn({ event: 'evidence-restored', path }, 'restored the evidence from the previous save')
        return loaded.content
      }
      if (loaded.isDamaged)
        log.error({ event: 'evidence-empty', reason: loaded.reason }, 'starting with empty evidence')
      return EMPTY
    },
    save: (stored) => file.save(stored),
  }
}
