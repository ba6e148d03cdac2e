import { once } from 'node:events'
import { createServer, request as sendRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createReplayMemory } from '../../../src/epistula/index.js'
import { createFailureBuckets } from '../../../src/kernel/failure-buckets.js'
import { initSr25519 } from '../../../src/kernel/sr25519.js'
import { Admission } from '../../../src/roles/miner/admission/admission.js'
import { BodyReader } from '../../../src/roles/miner/admission/body-reader.js'
import { createGate } from '../../../src/roles/miner/admission/gate.js'
import type { Registered } from '../../../src/roles/miner/admission/registration.js'
import { inlineSignatureCheck } from '../../../src/roles/miner/admission/signature-check.js'
import { createDeadlines } from '../../../src/routing/index.js'
import { neuronOf } from '../../support/fake-subtensor.js'
import { ManualClock } from '../../support/manual-clock.js'
import type { Case, Checker, Finding } from '../checker.js'

interface GateAnswer {
  readonly status: number
  readonly detail?: string
}

/** The check 4.4.1 runs before every route (neurons/miner.py), compared with the miner's admission over real HTTP. */
export const checker: Checker = {
  vectors: 'miner_gate',
  rules: {
    'stake-number': 'the refusal shows the stake; 4.4.1 showed the literal placeholder {stake}',
    'refused-instead-of-raised': 'the original threw (HTTP 500); ours refuses with 400',
    'future-bound': 'timestamps more than 8000 ms ahead are refused; the original had no future bound',
    'timestamp-form': 'exactly 13 ASCII digits; the original accepted anything int() accepts',
    'signature-form': '0x and 128 hex digits; the original also accepted white space and other forms',
  },
  async check(testCase, file) {
    await initSr25519()
    const answer = await askAdmission(testCase, file.min_stake)
    const { expected } = testCase
    const agrees = expected.accepted
      ? answer.status === 200
      : answer.status === expected.status && answer.detail === expected.detail
    return agrees ? { agrees } : explain(testCase, answer)
  },
}

function explain({ headers, expected, now_ms }: Case, { status, detail = '' }: GateAnswer): Finding {
  const rule = (name: string): Finding => ({ agrees: false, explainedBy: name })
  const timestamp = String(headers['Epistula-Timestamp'])
  if (expected.raises && status === 400) return rule('refused-instead-of-raised')
  if (expected.detail === 'Stake below minimum: {stake}' && /^Stake below minimum: \d/.test(detail)) {
    return status === 401 ? rule('stake-number') : { agrees: false, detail: String(status) }
  }
  if (detail === 'Request is too far in the future' && Number(timestamp) > now_ms + 8000)
    return rule('future-bound')
  if (detail === 'Invalid Timestamp' && !/^\d{13}$/.test(timestamp)) return rule('timestamp-form')
  const signature = String(headers['Epistula-Request-Signature'])
  if (detail === 'Invalid Signature' && !/^0x[0-9a-f]{128}$/i.test(signature)) return rule('signature-form')
  return { agrees: false, detail: `${status} ${detail}` }
}

/** Sends the case's request to an admission configured as the case says. */
async function askAdmission(testCase: Case, minStake: number): Promise<GateAnswer> {
  const stop = new AbortController()
  const admission = createCaseAdmission(testCase, minStake, stop.signal)
  const server = createServer((request, response) => {
    void admission.admit(request, '127.0.0.1').then((result) => {
      if (result.kind === 'admitted') response.end('{}')
      if (result.kind === 'refused') {
        response.writeHead(result.refusal.status).end(JSON.stringify({ detail: result.refusal.detail }))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await send((server.address() as AddressInfo).port, testCase)
  } finally {
    stop.abort()
    server.closeAllConnections()
    server.close()
  }
}

function createCaseAdmission(testCase: Case, minStake: number, signal: AbortSignal): Admission {
  const clock = new ManualClock(testCase.now_ms)
  const { hotkeys, stake } = testCase.metagraph
  const registration: Registered = {
    find: (hotkey) => {
      const uid = hotkeys.indexOf(hotkey)
      return uid === -1 ? undefined : neuronOf({ uid, hotkey, stakeTao: stake[uid] })
    },
    isExpired: () => false,
    refreshSoon: () => {},
  }
  return new Admission({
    self: testCase.self_hotkey,
    clock,
    registration,
    minStakeTao: testCase.no_force_validator_permit ? undefined : minStake,
    windowMs: 8000,
    gate: createGate({
      ...{ maxInFlight: 10, maxInFlightPerSigner: 10, maxInFlightPerValidator: 10 },
      // as if the process had started long ago
      replays: createReplayMemory(new ManualClock(0)),
    }),
    failures: createFailureBuckets(clock, 20),
    bodies: new BodyReader({
      clock,
      deadlines: createDeadlines(clock, signal),
      maxBytes: 4 << 20,
      timeoutMs: 10_000,
    }),
    signatures: inlineSignatureCheck,
  })
}

function send(port: number, testCase: Case): Promise<GateAnswer> {
  return new Promise((resolve, reject) => {
    const request = sendRequest({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/v1/chat/completions',
      agent: false,
    })
    for (const [name, value] of Object.entries(testCase.headers)) {
      if (value !== null) request.setHeader(name, Buffer.from(String(value), 'utf8').toString('latin1'))
    }
    request.on('error', reject)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as { detail?: string }
        resolve({ status: response.statusCode ?? 0, ...body })
      })
    })
    request.end(Buffer.from(testCase.body_hex, 'hex'))
  })
}
