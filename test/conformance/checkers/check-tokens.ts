import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { connectEngine } from '../../../src/engine/index.js'
import type { Answer, InferenceRequest } from '../../../src/inference/index.js'
import { systemClock } from '../../../src/kernel/clock.js'
import { startDevelopmentEngine } from '../../../src/localnet/engine/index.js'
import { type Verdict, verifyAnswer } from '../../../src/verification/index.js'
import type { Case, Checker } from '../checker.js'

const MODEL = 'targon-dev/small-a'

/**
 * 4.4.1 check_tokens: how a verifier's response is treated. Ours has no verifier service that returns verdicts; what remains
 * of the rule is that an unusable response of the engine produces no verdict.
 */
export const checker: Checker = {
  vectors: 'check_tokens',
  rules: {
    'no-verifier-service':
      'the validator forms verdicts itself from a stock vLLM server; a body that contains one is not a vLLM response',
  },
  async check({ verifier_response, expected }) {
    const verdict = await verifyAgainst(verifier_response)
    if (verdict.kind !== 'inconclusive') return { agrees: false, detail: `a verdict: ${verdict.kind}` }
    return expected.result === null ? { agrees: true } : { agrees: false, explainedBy: 'no-verifier-service' }
  },
}

const request: InferenceRequest = {
  endpoint: 'completion',
  model: MODEL,
  temperature: 0.5,
  seed: 1,
  maxTokens: 9,
  prompt: 'p',
}

const answer: Answer = {
  tokens: [1, 2, 3, 4].map((tokenId) => ({ text: 'a', tokenId, logprob: -1 })),
  text: 'aaaa',
  finishReason: 'stop',
  timing: { timeToFirstTokenMs: 1, timeForAllTokensMs: 1, totalMs: 2 },
  tokensPerSecond: 1,
  status: 200,
  fault: undefined,
  chunks: 4,
  lostTokens: false,
  burstShare: 1,
}

/** The verdict if the engine's scoring call returns what the verifier returned in this case. */
async function verifyAgainst(response: Case): Promise<Verdict> {
  const engine = await startDevelopmentEngine({ port: 0, models: [MODEL] }, { clock: systemClock })
  const front = await startFront(engine.url, response)
  const cacheDir = await mkdtemp(join(tmpdir(), 'check-tokens-'))
  const reference = connectEngine({
    model: MODEL,
    urls: [front.url],
    hubUrl: engine.url,
    cacheDir,
    clock: systemClock,
    log: pino({ enabled: false }),
  })
  try {
    const signal = AbortSignal.timeout(30_000)
    await reference.whenReady(signal)
    front.arm()
    return await verifyAnswer({
      request,
      answer,
      engine: reference,
      rules: 'targon-4',
      clock: systemClock,
      signal,
    })
  } finally {
    await reference.close()
    front.close()
    await engine.close()
    await rm(cacheDir, { recursive: true })
  }
}

/** Forwards everything to the engine; once armed, the scoring call returns the response of the case instead. */
async function startFront(engineUrl: string, response: Case) {
  let isArmed = false
  const server = createServer((incoming, outgoing) => {
    if (isArmed && incoming.url === '/v1/completions') {
      incoming.resume()
      if (response.network_error) incoming.socket.destroy()
      else outgoing.end(response.body_not_json ? 'not json' : JSON.stringify(response.body))
      return
    }
    const target = new URL(incoming.url ?? '/', engineUrl)
    const onward = sendRequest(target, { method: incoming.method, headers: incoming.headers }, (answered) => {
      outgoing.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: () => {
      isArmed = true
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
