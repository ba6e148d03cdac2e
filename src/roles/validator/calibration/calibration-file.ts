import { createHash } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { observationSchema } from '../../../evidence/index.js'
import { messageOf, openCheckedFile, TargonError } from '../../../kernel/index.js'
import { calibrationResult } from './calibration-result.js'

const sample = z.object({
  /** Number of the planned answer; it was compared with the server that gave it, or with another one. */
  index: z.number().int().min(0),
  scoredBy: z.enum(['itself', 'another']),
  endpoint: z.enum(['chat', 'completion']),
  temperature: z.number(),
  /** `verified`, or the cause for which the strict rules would fail this honest answer. */
  verdict: z.string().max(100),
  /** At the floors; only its sums count. */
  observation: observationSchema,
})

const content = z.object({
  model: z.string().max(512),
  /** Version of this program that measured. */
  code: z.string().max(100),
  /** What the servers told of themselves. */
  engines: z.array(z.record(z.string().max(100), z.string().max(200))).max(64),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  updatedAt: z.number(),
  /** Planned answers, and those of them that gave nothing to measure, with the reason. */
  planned: z.number().int().min(1).max(10_000),
  failed: z.array(z.object({ index: z.number().int().min(0), reason: z.string().max(500) })).max(10_000),
  samples: z.array(sample).max(20_000),
  /** Set once the calibration is complete. */
  result: calibrationResult.optional(),
})

/** A calibration on disk: what was measured, on which servers, and the noise that follows from it. */
export type StoredCalibration = z.infer<typeof content>
export type CalibrationSample = z.infer<typeof sample>

const FORMAT = 'targon-calibration'

/** The calibration of one model beside the scores: the complete one, and one that has begun. */
export interface CalibrationFile {
  readonly path: string
  /** @throws TargonError CALIBRATION_FILE (fault usage) */
  complete(): Promise<StoredCalibration | undefined>
  unfinished(): Promise<StoredCalibration | undefined>
  /** Keeps a calibration so that it can be continued; a complete one replaces the one before. */
  save(stored: StoredCalibration): Promise<void>
}

export function openCalibrationFile(stateDir: string, model: string): CalibrationFile {
  const path = join(stateDir, 'calibrations', `${slugOf(model)}.json`)
  const partPath = path.replace(/\.json$/, '.unfinished.json')
  const read = (value: unknown) => {
    const parsed = content.safeParse(value).data
    return parsed?.model === model ? parsed : undefined
  }
  const [whole, part] = [path, partPath].map((one) => openCheckedFile(one, FORMAT, read))
  const load = async (file: typeof whole) => {
    const loaded = await failing(path, async () => file?.load())
    return loaded?.kind === 'content' ? loaded.content : undefined
  }
  return {
    path,
    complete: () => load(whole),
    unfinished: () => load(part),
    save: (stored) =>
      failing(path, async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 })
        if (!stored.result) return await part?.save(stored)
        await whole?.save(stored)
        for (const old of [partPath, `${partPath}.previous`]) await rm(old, { force: true })
      }),
  }
}

/** A file name that people recognise and no two models share. */
function slugOf(model: string): string {
  const name = model.replace(/[^\w.-]+/g, '-').slice(0, 80)
  return `${name}-${createHash('sha256').update(model).digest('hex').slice(0, 8)}`
}

async function failing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new TargonError(
      `Cannot read or write the calibration ${path}: ${messageOf(cause)}.`,
      {
        code: 'CALIBRATION_FILE',
        fault: 'usage',
        next: 'Correct its permissions, and check that the disk is not full.',
      },
      { cause },
    )
  }
}
