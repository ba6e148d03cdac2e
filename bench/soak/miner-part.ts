import type { ChildProcess } from 'node:child_process'
import { endProcess, forkScript, messageFrom, SUBJECT_CORE } from '../miner/processes.js'
import { addCount, type Counts } from './counts.js'
import { judgeSamples } from './figures.js'
import type { SoakOrder, SoakResult } from './load-process.js'
import type { MinerOrder } from './miner-process.js'
import { type PartResult, SAMPLES, type SoakOptions } from './part.js'
import type { Holdings, Sample } from './sample.js'

const REQUESTS = 1_000_000
/** Before the first sample, so that a short run measures no compiler. */
const WARM_UP_REQUESTS = 6000
/** Fewer do not even compile what every request needs; on a slow machine they are sent beyond the time of the warm-up. */
const LEAST_WARM_UP_REQUESTS = 2000
const LONGEST_WARM_UP_MS = 60_000
/** Longer than a miner remembers a request: what it keeps for a time is gone when it is sampled. */
const FORWARD_MS = 30_000
/** Sent after the clock was set forward, so that the miner drops what has expired. */
const SWEEPING_REQUESTS = 16
const SWEEPING_MS = 20_000
/** Of the time, for the requests before the first sample. */
const WARM_UP_SHARE = 0.2
const MINUTE_MS = 60_000

/** The real miner with its checks, before callers and a model server of which one in a hundred each have a fault. */
export async function soakMiner({ scale, minutes, plant }: SoakOptions): Promise<PartResult> {
  const children: ChildProcess[] = []
  const start = async (...options: Parameters<typeof forkScript>) => {
    const child = await forkScript(...options)
    children.push(child)
    return { child, ready: await messageFrom<{ port: number }>(child) }
  }
  try {
    const upstream = await start('soak-upstream')
    const args = [`http://127.0.0.1:${upstream.ready.port}`, String(plant)]
    const miner = await start('soak-miner', args, SUBJECT_CORE, ['--expose-gc'])
    const load = await start('soak-load')
    const subject = { port: miner.ready.port, miner: miner.child, load: load.child }
    return await sampleMiner(subject, Math.ceil(REQUESTS * scale), minutes * MINUTE_MS)
  } finally {
    await Promise.all(children.map((child) => endProcess(child, 'SIGKILL')))
  }
}

interface Subject {
  readonly port: number
  readonly miner: ChildProcess
  readonly load: ChildProcess
}

async function ask<T>(child: ChildProcess, order: SoakOrder | MinerOrder): Promise<T> {
  const answer = messageFrom<T>(child)
  child.send(order)
  return await answer
}

async function sampleMiner(
  { port, miner, load }: Subject,
  planned: number,
  withinMs: number,
): Promise<PartResult> {
  const startedAt = performance.now()
  const samples: Sample[] = []
  const counts: Counts = {}
  const each = Math.ceil(planned / SAMPLES)
  let aheadMs = 0
  let done = 0
  const send = async (requests: number, endMs: number, areAllSound = false) => {
    const order = { port, requests, aheadMs, areAllSound, withinMs: startedAt + endMs - performance.now() }
    return await ask<SoakResult>(load, order)
  }
  const { sent: warm } = await send(WARM_UP_REQUESTS, withinMs * WARM_UP_SHARE)
  const lateMs = performance.now() - startedAt
  if (warm < LEAST_WARM_UP_REQUESTS) await send(LEAST_WARM_UP_REQUESTS - warm, lateMs + LONGEST_WARM_UP_MS)
  const warmMs = performance.now() - startedAt
  for (let number = 1; number <= SAMPLES; number++) {
    const share = ((1 - WARM_UP_SHARE) * number) / SAMPLES
    const { sent, answers } = await send(each, warmMs + withinMs * share)
    done += sent
    addCounts(counts, answers)
    aheadMs = (await ask<{ aheadMs: number }>(miner, { forwardMs: FORWARD_MS })).aheadMs
    done += (await send(SWEEPING_REQUESTS, performance.now() - startedAt + SWEEPING_MS, true)).sent
    samples.push({ work: done, ...(await ask<Holdings>(miner, 'holdings')) })
  }
  const seconds = (performance.now() - startedAt) / 1000
  const figures = judgeSamples(samples)
  return {
    part: 'miner',
    unit: 'requests',
    work: 'request',
    done,
    planned,
    seconds,
    samples,
    figures,
    counts,
  }
}

function addCounts(counts: Counts, more: SoakResult['answers']): void {
  for (const [kind, answers] of Object.entries(more))
    for (const [how, times] of Object.entries(answers)) addCount(counts, kind, how, times)
}
