import { type Clock, every, isAbort } from '../../../kernel/index.js'
import { type ChoiceLimits, pickShare, sharesOf } from './choice.js'
import { type Directory, type DirectoryOptions, type ListedMiner, readDirectory } from './directory.js'
import { reportRouting } from './routing-report.js'
import { createTrackRecord, type TrackRecord } from './track-record.js'
import type { Miners } from './types.js'
import { createVerdicts } from './verdicts.js'

/** Pause before the next reading while no miner serves anything: the hub may have started before them. */
const EARLY_REFRESH_MS = 5000
/** Time between two looks at all shares: 256 miners with 32 models take 0.2 s of a processor. */
const ROUTING_MS = 5000

export interface MinersOptions extends DirectoryOptions {
  readonly refreshMs: number
  readonly limits: ChoiceLimits
  /** Hotkeys whose verdicts count; empty: those with a validator permit. */
  readonly validators: readonly string[]
  /** 0 ≤ x < 1 */
  readonly random: () => number
  /** Ends the readings. */
  readonly signal: AbortSignal
}

/** Reads the subnet once, then again and again until the signal aborts. @throws what Subtensor.metagraph throws */
export async function openMiners(options: MinersOptions): Promise<Miners> {
  const { clock, log, signal, limits, random } = options
  let directory = await readDirectory(options, [], signal)
  let says = saysOf(directory, options.validators)
  let lists = listsOf(directory)
  noteDirectory(options, directory)
  let readAtMs = clock.monotonic()
  let failure: unknown
  const records = new Map<string, TrackRecord>()
  const recordOf = (hotkey: string): TrackRecord => {
    const record = records.get(hotkey) ?? createTrackRecord(clock, random)
    records.set(hotkey, record)
    return record
  }
  const verdicts = createVerdicts(clock, {
    say: (validator) => says.get(validator) ?? 0,
    lists: (hotkey, model) => lists.get(hotkey)?.has(model) ?? false,
  })
  const isServing = () => directory.models.length > 0
  const refresh = async () => {
    if (isServing() && clock.monotonic() - readAtMs < options.refreshMs) return
    readAtMs = clock.monotonic()
    directory = await readDirectory(options, directory.miners, signal)
    failure = undefined
    says = saysOf(directory, options.validators)
    lists = listsOf(directory)
    verdicts.keepOnly(new Set(directory.metagraph.neurons.map(({ hotkey }) => hotkey)))
    noteDirectory(options, directory)
    const present = new Set(directory.miners.map(({ hotkey }) => hotkey))
    for (const [hotkey, { inFlight }] of records)
      if (!present.has(hotkey) && inFlight === 0) records.delete(hotkey)
  }
  void every(clock, Math.min(EARLY_REFRESH_MS, options.refreshMs), signal, refresh, (error) => {
    if (isAbort(error)) return
    failure = error
    log.warn({ event: 'hub-refresh-failed', err: error }, 'could not read which miners serve which models')
  })
  const candidateOf = (miner: ListedMiner, model: string) => {
    const record = recordOf(miner.hotkey)
    const { tokensPerSecond, firstTokenMs } = record.speed(model)
    const verified = verdicts.verified(miner.hotkey, model)
    return { ...miner, verified, tokensPerSecond, firstTokenMs, inFlight: record.inFlight }
  }
  const allows = ({ hotkey }: ListedMiner) => recordOf(hotkey).allows()
  return {
    models: () => directory.models,
    choose: (model, except) => {
      const able = directory.miners.filter(
        (miner) => miner.models.includes(model) && !except.has(miner.hotkey) && allows(miner),
      )
      const shares = sharesOf(
        able.map((miner) => candidateOf(miner, model)),
        limits,
      )
      const index = pickShare(shares, random())
      return index === undefined ? undefined : able[index]
    },
    begin: ({ hotkey }, model) => recordOf(hotkey).begin(model),
    noteVerdict: (verdict) => verdicts.note(verdict),
    metagraph: () => directory.metagraph,
    failure: () => failure,
    report: () =>
      directory.miners.map(({ misses: _, ...miner }) => {
        const record = recordOf(miner.hotkey)
        const { inFlight, answered, failed } = record
        const breaker = record.breakerState()
        return { ...miner, silent: miner.silent ?? null, inFlight, answered, failed, breaker }
      }),
    routing: heldFor(clock, ROUTING_MS, () =>
      reportRouting({ miners: directory.miners, allows, candidateOf, limits }),
    ),
  }
}

/** Calls `read` when its last value is older than this, because it takes a while. */
function heldFor<T>(clock: Clock, forMs: number, read: () => T): () => T {
  let held: { readonly value: T; readonly atMs: number } | undefined
  return () => {
    if (held === undefined || clock.monotonic() - held.atMs >= forMs)
      held = { value: read(), atMs: clock.monotonic() }
    return held.value
  }
}

/** The part that each validator has of the stake of all whose verdicts count. */
function saysOf({ metagraph }: Directory, listed: readonly string[]): ReadonlyMap<string, number> {
  const counts = metagraph.neurons.filter(({ hotkey, validatorPermit }) =>
    listed.length === 0 ? validatorPermit : listed.includes(hotkey),
  )
  const total = counts.reduce((sum, { stakeTao }) => sum + stakeTao, 0)
  // Without any stake, as on a test network, all count the same.
  const partOf = (stakeTao: number) => (total === 0 ? 1 / counts.length : stakeTao / total)
  return new Map(counts.map(({ hotkey, stakeTao }) => [hotkey, partOf(stakeTao)]))
}

/** The models that each miner lists, by hotkey. */
function listsOf({ miners }: Directory): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(miners.map(({ hotkey, models }) => [hotkey, new Set(models)]))
}

function noteDirectory({ log }: MinersOptions, { miners, metagraph, models }: Directory): void {
  const serving = miners.filter((miner) => miner.models.length > 0).length
  const counts = { miners: miners.length, serving, models: models.length }
  log.debug(
    { event: 'hub-miners-read', block: metagraph.block, ...counts },
    'read which miners serve which models',
  )
}
