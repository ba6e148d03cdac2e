import type { ReferenceEngine } from '../../../engine/index.js'
import type { Log } from '../../../kernel/index.js'
import type { Result, ScoreBook } from '../../../scoring/index.js'
import type { RoundPorts } from '../rounds/index.js'
import type { SubnetView } from '../subnet/index.js'
import type { HubClient } from './hub-client.js'
import { type OrganicBucket, type OrganicRecord, readBucket, requestOf } from './organic-record.js'
import { type OrganicStat, scoreOrganic } from './organic-score.js'

/** 4.4.1 polls each 20 blocks. */
const POLL_BLOCKS = 20
/** Records judged at once. */
const CONCURRENT = 4

export interface OrganicsOptions {
  readonly log: Log
  readonly hub: HubClient
  readonly view: SubnetView
  readonly book: ScoreBook
  readonly engines: () => readonly ReferenceEngine[]
  readonly verify: RoundPorts['verify']
  readonly signal: AbortSignal
}

export interface Organics {
  /** Polls when twenty blocks have passed since the last poll and none is under way; returns at once. */
  onBlock(block: number): void
  readonly done: () => Promise<void>
}

/** Users' requests from the hub: fetched, verified, scored, reported back. A hub that is away changes nothing. */
export function createOrganics(options: OrganicsOptions): Organics {
  const { log, hub, signal } = options
  let polledAt: number | undefined
  let running: Promise<void> | undefined
  let lastBucket: string | undefined
  let away = false

  const poll = async (block: number) => {
    const models = options.engines().flatMap(({ model, facts }) => (facts ? [model] : []))
    const answer = await hub.post('/organics', models, signal)
    if (answer.status !== 200) throw new Error(`status ${answer.status}`)
    const bucket = readBucket(answer.text)
    if (!bucket) throw new Error('the answer is no bucket')
    away = false
    if (bucket.id === undefined || bucket.id === lastBucket) return
    lastBucket = bucket.id
    await judgeBucket(bucket, block)
  }

  const judgeBucket = async (bucket: OrganicBucket, block: number) => {
    const known = bucket.records.filter(({ uid, hotkey }) => options.view.metagraph.find(hotkey)?.uid === uid)
    const results = new Map<string, Result[]>()
    const stats: OrganicStat[] = []
    const queue = known.values()
    const worker = async () => {
      for (const record of queue) {
        if (signal.aborted) return
        // A record that breaks our reading of it costs itself, never the bucket.
        const scored = await scoreOrganic(record, judge).catch((error: unknown) => {
          log.warn(
            { event: 'organic-not-judged', uid: record.uid, err: error },
            'could not judge an organic record',
          )
          return undefined
        })
        if (!scored) continue
        const { result, stat } = scored
        if (stat) stats.push(stat)
        if (result !== undefined) results.set(record.hotkey, [...(results.get(record.hotkey) ?? []), result])
      }
    }
    await Promise.all(Array.from({ length: CONCURRENT }, worker))
    for (const [hotkey, scores] of results) options.book.recordOrganics(hotkey, scores, block)
    const refused = bucket.refused + bucket.records.length - known.length
    log.info(
      { event: 'organics-scored', bucket: bucket.id, records: known.length, refused, judged: stats.length },
      'scored organic records',
    )
    await hub.post('/organics/scores', { organics: stats }, signal)
  }

  const judge = async (record: OrganicRecord, answer: Parameters<RoundPorts['verify']>[2]) => {
    const engine = options.engines().find(({ model, facts }) => model === record.model && facts)
    const request = requestOf(record)
    return engine && request ? options.verify(engine, request, answer, signal) : undefined
  }

  return {
    onBlock: (block) => {
      if (running || signal.aborted || (polledAt !== undefined && block - polledAt < POLL_BLOCKS)) return
      polledAt = block
      running = poll(block)
        .catch((error: unknown) => {
          if (!away && !signal.aborted)
            log.warn({ event: 'organics-unavailable', err: error }, 'could not fetch organic records')
          away = true
        })
        .finally(() => {
          running = undefined
        })
    },
    done: async () => running,
  }
}
