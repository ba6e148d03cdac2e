import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { connectEngine } from '../../src/engine/index.js'
import type { Answer, InferenceRequest } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { type AnswerComparison, judgeStrict, verifyAnswer } from '../../src/verification/index.js'
import { honestComparison } from '../../test/support/answer-comparison.js'
import { type Bench, median, type Row } from '../row.js'

const ROUNDS = 15
/** A validator has judged thousands of answers: what counts is the compiled code. */
const WARM_UP = 300
const JUDGED = 200
const MUST_MS = 2
const MUST_RATIO = 1.1
const LONG = 1_000
const SHORT = 192
const MODEL = 'bench/model'

/** What a verdict costs beside the engine's own work. */
export const bench: Bench = {
  name: 'verification',
  summary: `verdict arithmetic per ${LONG}-token answer; verified answers against bare engine calls, median of ${ROUNDS}`,
  run: async (): Promise<Row[]> => [...arithmetic(), ...(await overhead())],
}

/** Judging against parsing the engine's JSON for the same answer: both are paid once per answer. */
function arithmetic(): Row[] {
  const comparison = honestComparison('bench', { tokens: LONG })
  const json = JSON.stringify(scoringAnswer(comparison, []))
  const parsed = cpuMsOf(ROUNDS, () => JSON.parse(json))
  cpuMsOf(WARM_UP, () => judgeStrict(comparison))
  const judged = cpuMsOf(JUDGED, () => judgeStrict(comparison))
  return [
    { name: `JSON.parse of the reference of ${LONG} tokens (CPU)`, value: parsed, unit: 'ms' },
    {
      name: `strict verdict of ${LONG} tokens (CPU)`,
      value: judged,
      unit: 'ms',
      ratio: { to: 'JSON.parse of its reference', value: judged / parsed },
      goal: { must: `≤ ${MUST_MS} ms`, reached: judged <= MUST_MS ? 'must' : 'missed' },
    },
  ]
}

/** An engine that answers at once: what is left is ours. */
async function overhead(): Promise<Row[]> {
  const comparison = honestComparison('bench', { tokens: SHORT })
  const text = 'x'.repeat(SHORT)
  const input = [1, 5, 6, 7]
  const answers: Record<string, string> = {
    '/v1/models': JSON.stringify({ data: [{ id: MODEL, max_model_len: 8192 }] }),
    '/version': '{"version":"bench"}',
    '/tokenize': JSON.stringify({ tokens: input }),
    '/detokenize': JSON.stringify({ prompt: text }),
  }
  const scored = JSON.stringify(scoringAnswer(comparison, input))
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      if (path.endsWith('config.json')) return response.end('{"vocab_size":32000,"eos_token_id":2}')
      if (path !== '/v1/completions') return response.end(answers[path] ?? '{}')
      const { prompt } = JSON.parse(Buffer.concat(chunks).toString()) as { prompt: number[] }
      response.end(prompt.length > SHORT ? scored : JSON.stringify(probeAnswer(prompt)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
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
    const body = JSON.stringify({ model: MODEL, prompt: [...input, ...output] })
    const bare: number[] = []
    const whole: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await timeOfAsync(() => callBare(url, body)))
      whole.push(
        await timeOfAsync(async () => {
          const verdict = await verifyAnswer({
            request,
            answer,
            engine,
            rules: 'strict',
            clock: systemClock,
            signal,
          })
          if (verdict.kind !== 'verified') throw new Error(`not verified: ${JSON.stringify(verdict)}`)
        }),
      )
    }
    const [bareMs, wholeMs] = [median(bare), median(whole)]
    return [
      { name: 'bare engine calls of one answer', value: bareMs, unit: 'ms' },
      {
        name: `verified answers of ${SHORT} tokens`,
        value: 1000 / wholeMs,
        unit: 'per second',
        ratio: { to: 'time of the bare engine calls', value: wholeMs / bareMs },
        goal: { must: `≤ ${MUST_RATIO}`, reached: wholeMs / bareMs <= MUST_RATIO ? 'must' : 'missed' },
      },
    ]
  } finally {
    await engine.close()
    server.closeAllConnections()
    server.close()
  }
}

/** The same three calls without ours: tokenise, then detokenise and score at once. */
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

/** CPU time of one run, which other programs of the machine do not lengthen much. */
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
