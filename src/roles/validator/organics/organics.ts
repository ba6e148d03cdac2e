import { isReproducible } from '../../../inference/index.js'
import { type Result, type ScoreBook, safeMeanScore } from '../../../scoring/index.js'
import type { Evidence } from '../evidence/index.js'
import type { RoundPorts } from '../rounds/index.js'
import type { ValidatorContext } from '../subnet/index.js'
import type { HubClient } from './hub-client.js'
import { type OrganicBucket, type OrganicRecord, readBucket, requestOf } from './organic-record.js'
import { type OrganicJudge, type OrganicStat, type SpeedBound, scoreOrganic } from './organic-score.js'

/** 4.4.1 polls every 20 blocks. */
const POLL_BLOCKS = 20
/** Records judged at once. */
const CONCURRENT = 4

export interface OrganicsOptions extends Pick<ValidatorContext, 'log' | 'signal' | 'view' | 'engines'> {
  readonly hub: HubClient
  readonly book: ScoreBook
  readonly verify: RoundPorts['verify']
  readonly evidence?: Pick<Evidence, 'addOrganic' | 'isBarred'> | undefined
  /**
   * How many times what our own rounds show of a miner and model an organic answer of it may count with; undefined: the hub
   * is trusted as in 4.4.1.
   */
  readonly maxSpeedRatio?: number | undefined
}

export interface Organics {
  /** Polls if twenty blocks have passed since the last poll and none is running; returns at once. */
  onBlock(block: number): void
  readonly done: () => Promise<void>
}

/** Requests of users from the hub: fetched, verified, scored, reported back. An unreachable hub changes nothing. */
export function createOrganics(options: OrganicsOptions): Organics {
  const { log, hub, signal } = options
  let polledAt: number | undefined
  let running: Promise<void> | undefined
  let lastBucket: string | undefined
  let isFailing = false

  const poll = async (block: number) => {
    const models = options.engines().flatMap(({ model, facts }) => (facts ? [model] : []))
    const answer = await hub.post('/organics', models, signal)
    if (answer.status !== 200) throw new Error(`status ${answer.status}`)
    const bucket = readBucket(answer.text)
    if (!bucket) throw new Error('the answer is not a bucket of organic records')
    isFailing = false
    if (bucket.id === undefined || bucket.id === lastBucket) return
    lastBucket = bucket.id
    await scoreBucket(options, bucket, block)
  }

  return {
    onBlock: (block) => {
      if (running || signal.aborted || (polledAt !== undefined && block - polledAt < POLL_BLOCKS)) return
      polledAt = block
      running = poll(block)
        .catch((error: unknown) => {
          if (!isFailing && !signal.aborted)
            log.warn({ event: 'organics-unavailable', err: error }, 'could not fetch organic records')
          isFailing = true
        })
        .finally(() => {
          running = undefined
        })
    },
    done: async () => running,
  }
}

async function scoreBucket(options: OrganicsOptions, bucket: OrganicBucket, block: number): Promise<void> {
  const { log, hub, book, view, signal } = options
  const known = bucket.records.filter(({ uid, hotkey }) => view.metagraph.find(hotkey)?.uid === uid)
  const results = new Map<string, Result[]>()
  const stats: OrganicStat[] = []
  const judge = createJudge(options)
  const bound = boundsOf(options)
  const queue = known.values()
  const worker = async () => {
    for (const record of queue) {
      if (signal.aborted) return
      // A record that cannot be processed is dropped alone, not with its bucket.
      const scored = await scoreOrganic(record, judge, bound).catch((error: unknown) => {
        log.warn(
          { event: 'organic-not-judged', uid: record.uid, err: error },
          'could not judge an organic record',
        )
        return undefined
      })
      if (!scored) continue
      const { result, stat } = scored
      if (stat) stats.push(stat)
      // A miner that evidence bars from a model earns nothing with it here either.
      const isBarred = options.evidence?.isBarred(record.hotkey, record.model) === true
      if (result !== undefined && !(isBarred && (result ?? 0) > 0))
        results.set(record.hotkey, [...(results.get(record.hotkey) ?? []), result])
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, worker))
  for (const [hotkey, scores] of results) book.recordOrganics(hotkey, scores, block)
  const refused = bucket.refused + bucket.records.length - known.length
  log.debug(
    { event: 'organics-scored', bucket: bucket.id, records: known.length, refused, judged: stats.length },
    'scored organic records',
  )
  await hub.post('/organics/scores', { organics: stats }, signal)
}

function createJudge(options: OrganicsOptions): OrganicJudge {
  const { engines, verify, signal, evidence, maxSpeedRatio } = options
  const judgesAll = maxSpeedRatio === undefined
  return async (record: OrganicRecord, answer) => {
    if (!judgesAll && !isReproducible(record.request)) return undefined
    const engine = engines().find(({ model, facts }) => model === record.model && facts)
    const request = requestOf(record)
    if (!engine || !request) return undefined
    // Whatever the hub is trusted with, only what the engine can reproduce is evidence.
    const isJudgeable = isReproducible(record.request)
    return await verify(engine, request, answer, signal, (compared, judged) => {
      if (isJudgeable) evidence?.addOrganic(engine, record.hotkey, compared, judged)
    })
  }
}

/** A miner that our own rounds show to be worth nothing for this model gets nothing for its organic answers either. */
function boundsOf({ book, maxSpeedRatio }: OrganicsOptions): SpeedBound | undefined {
  if (maxSpeedRatio === undefined) return undefined
  return ({ hotkey, model }) => {
    const shown = safeMeanScore(book.results(hotkey, model))
    return shown > 0 ? maxSpeedRatio * shown : undefined
  }
}
