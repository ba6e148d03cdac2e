import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { connectEngine } from '../../src/engine/index.js'
import type { Answer, InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type AnswerComparison, judgeStrict, verifyAnswer } from '../../src/verification/index.js'
import { honestComparison } from '../../test/support/answer-comparison.js'
import { type Bench, median, type Row } from '../row.js'

const ROUNDS = 15
/** A running validator has formed thousands of verdicts, so only optimised code is measured. */
const WARM_UP = 300
const VERDICTS = 200
const MUST_MS = 2
const MUST_RATIO = 1.1
const LONG = 1_000
const SHORT = 192
const MODEL = 'bench/model'

export const bench: Bench = {
  name: 'verification',
  summary: `CPU time of a verdict on a ${LONG}-token answer, and verification compared with bare engine calls`,
  run: async (): Promise<Row[]> => [...arithmetic(), ...(await overhead())],
}

/** A verdict compared with parsing the engine's JSON for the same answer; each happens once per answer. */
function arithmetic(): Row[] {
  const comparison = honestComparison('bench', { tokens: LONG })
  const json = JSON.stringify(scoringAnswer(comparison, []))
  const parseMs = cpuMsOf(ROUNDS, () => JSON.parse(json))
  cpuMsOf(WARM_UP, () => judgeStrict(comparison))
  const verdictMs = cpuMsOf(VERDICTS, () => judgeStrict(comparison))
  return [
    { name: `JSON.parse of the reference for ${LONG} tokens (CPU)`, value: parseMs, unit: 'ms' },
    {
      name: `strict verdict on ${LONG} tokens (CPU)`,
      value: verdictMs,
      unit: 'ms',
      ratio: { to: 'JSON.parse of its reference', value: verdictMs / parseMs },
      goal: { must: `≤ ${MUST_MS} ms`, reached: verdictMs <= MUST_MS ? 'must' : 'missed' },
    },
  ]
}

async function overhead(): Promise<Row[]> {
  const comparison = honestComparison('bench', { tokens: SHORT })
  const text = 'x'.repeat(SHORT)
  const server = await startInstantEngine(comparison, text)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const engine = connectEngine({
    model: MODEL,
    urls: [url],
    hubUrl: url,
    cacheDir: '/nonexistent',
    clock: systemClock,
    log: pino({ enabled: false }),
  })
  try {
    const signal = AbortSignal.timeout(60_000)
    await engine.whenReady(signal)
    const request: InferenceRequest = {
      model: MODEL,
      temperature: comparison.temperature,
      maxTokens: SHORT,
      endpoint: 'completion',
      prompt: 'bench',
    }
    const answer = answerOf(comparison, text)
    const output = comparison.tokens.map(({ id }) => id)
    const body = JSON.stringify({ model: MODEL, prompt: [...INPUT, ...output] })
    const verify = async () => {
      const context = { request, answer, engine, rules: 'strict', clock: systemClock, signal } as const
      const verdict = await verifyAnswer(context)
      if (verdict.kind !== 'verified') throw new Error(`not verified: ${JSON.stringify(verdict)}`)
    }
    const bare: number[] = []
    const whole: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await timeOfAsync(() => callBare(url, body)))
      whole.push(await timeOfAsync(verify))
    }
    return overheadRows(median(bare), median(whole))
  } finally {
    await engine.close()
    server.closeAllConnections()
    server.close()
  }
}

function overheadRows(bareMs: number, wholeMs: number): Row[] {
  const ratio = wholeMs / bareMs
  return [
    { name: 'bare engine calls for one answer', value: bareMs, unit: 'ms' },
    {
      name: `answers of ${SHORT} tokens verified`,
      value: 1000 / wholeMs,
      unit: 'per second',
      ratio: { to: 'time of the bare engine calls', value: ratio },
      goal: { must: `≤ ${MUST_RATIO}`, reached: ratio <= MUST_RATIO ? 'must' : 'missed' },
    },
  ]
}

const INPUT = [1, 5, 6, 7]

/** An engine that responds immediately, so that the remaining time is the verification's own. */
async function startInstantEngine(comparison: AnswerComparison, text: string): Promise<Server> {
  const responses: Record<string, string> = {
    '/v1/models': JSON.stringify({ data: [{ id: MODEL, max_model_len: 8192 }] }),
    '/version': '{"version":"bench"}',
    '/tokenize': JSON.stringify({ tokens: INPUT }),
    '/detokenize': JSON.stringify({ prompt: text }),
  }
  const scored = JSON.stringify(scoringAnswer(comparison, INPUT))
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      if (path.endsWith('config.json')) return response.end('{"vocab_size":32000,"eos_token_id":2}')
      if (path !== '/v1/completions') return response.end(responses[path] ?? '{}')
      const { prompt } = JSON.parse(Buffer.concat(chunks).toString()) as { prompt: number[] }
      response.end(prompt.length > SHORT ? scored : JSON.stringify(probeAnswer(prompt)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** The same three calls alone: tokenize, then detokenize and score concurrently. */
async function callBare(url: string, body: string): Promise<void> {
  const post = async (path: string, payload: string) =>
    (await fetch(url + path, { method: 'POST', body: payload })).json()
  await post('/tokenize', '{}')
  await Promise.all([post('/detokenize', '{}'), post('/v1/completions', body)])
}

function scoringAnswer({ reference }: AnswerComparison, input: readonly number[]) {
  const entries = reference.positions.map((position) =>
    Object.fromEntries([...position].map(([id, entry]) => [id, { ...entry, decoded_token: 'x' }])),
  )
  const top = Object.fromEntries([...reference.next].map(([id, { logprob }]) => [`token_id:${id}`, logprob]))
  return {
    choices: [{ prompt_logprobs: [...input.map(() => null), ...entries], logprobs: { top_logprobs: [top] } }],
  }
}

function probeAnswer(prompt: readonly number[]) {
  const entry = (id: number) => ({ [id]: { logprob: -0.1, rank: 1 } })
  return {
    choices: [{ prompt_logprobs: prompt.map(entry), logprobs: { top_logprobs: [{ 'token_id:1': -0.1 }] } }],
  }
}

function answerOf({ tokens }: AnswerComparison, text: string): Answer {
  return {
    tokens: tokens.map(({ id, logprob }) => ({ text: 'x', tokenId: id, logprob })),
    text,
    finishReason: 'length',
    timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 2, totalMs: 3 },
    tokensPerSecond: 100,
    status: 200,
    fault: undefined,
    chunks: tokens.length,
    lostTokens: false,
    burstShare: 0,
  }
}

/** CPU time per run, which other processes hardly affect. */
function cpuMsOf(rounds: number, work: () => unknown): number {
  const before = process.cpuUsage()
  for (let round = 0; round < rounds; round++) work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / rounds
}

async function timeOfAsync(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
