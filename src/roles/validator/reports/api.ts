import { z } from 'zod'
import { minerReport } from '../../../history/index.js'
import type { StatusApi } from '../../../telemetry/index.js'
import { recentResults, recentRounds } from './recent-rounds.js'
import { validatorStatus } from './status.js'

/** The document of `GET /report`. */
export const reportDocument = z.object({
  since: z.string(),
  miners: z.array(minerReport),
  now: validatorStatus,
})

/** What the status server of a validator serves. */
export const validatorApi: StatusApi = {
  role: 'validator',
  port: 9101,
  documents: {
    status: {
      summary: 'What the validator is doing, and what it knows of every miner.',
      schema: validatorStatus,
    },
    report: {
      summary: 'Why miners have their scores, from the history. `targon validator report` prints it.',
      schema: reportDocument,
      parameters: {
        miner: 'Only this miner, by uid or hotkey.',
        hours: 'Hours to look back; 24 when absent.',
      },
    },
    rounds: {
      summary: 'The last rounds of this process with the verdict on every answer.',
      schema: recentRounds,
    },
    results: {
      summary: 'The last results of one miner since this process started.',
      schema: recentResults,
      parameters: { miner: 'The miner, by uid or hotkey.' },
    },
  },
}
