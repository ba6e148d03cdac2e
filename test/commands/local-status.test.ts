import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import HubStatusCommand from '../../src/commands/hub/status.js'
import MinerUpstreams from '../../src/commands/miner/upstreams.js'
import Status from '../../src/commands/status.js'
import { previewWeights, type ValidatorStatus } from '../../src/roles/index.js'
import { runCommand } from '../support/cli.js'
import { freePort } from '../support/free-port.js'
import { hubStatusOf } from '../support/page-documents.js'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** Starts a status port that responds with this text. @returns the flags that point to it. */
async function servePort(text: string | ((url: URL) => string)): Promise<string[]> {
  const server = createServer((request, response) =>
    response.end(typeof text === 'string' ? text : text(new URL(request.url ?? '/', 'http://status'))),
  ).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return ['--metrics.port', String(typeof address === 'object' && address ? address.port : 0)]
}

const fast = {
  uid: 3,
  hotkey: '5Fast',
  models: ['a', 'b'],
  verdicts: { verified: 9, inconclusive: 1, failed: {} },
  last: { kind: 'verified' as const, model: 'a', tokensPerSecond: 90 },
  meanTokensPerSecond: 88.8,
  score: 120,
}
const cheat = {
  uid: 5,
  hotkey: '5Cheat',
  models: ['a'],
  verdicts: { verified: 0, inconclusive: 0, failed: { OVERFIT: 2, NO_LOGPROBS: 1 } },
  last: { kind: 'failed' as const, cause: 'OVERFIT', detail: 'position 7: 0.99', model: 'a' },
  meanTokensPerSecond: 0,
  score: 0,
}
const validator: ValidatorStatus = {
  role: 'validator',
  uid: 0,
  hotkey: '5Validator',
  block: 61,
  epoch: { index: 2, nextBlock: 90 },
  models: ['a', 'b'],
  engines: [],
  rounds: 12,
  weights: { block: 60, entries: [{ uid: 3, weightU16: 65_535 }] },
  miners: [cheat, fast],
}

describe('targon miner upstreams', () => {
  it('shows health, load and models of each server, or why it is down', async () => {
    const common = {
      weight: 1,
      breaker: 'closed',
      running: 0,
      tokenIds: 'yes',
      inFlight: 1,
      maxInFlight: 256,
    }
    const up = {
      ...common,
      url: 'http://a/v1',
      health: 'up',
      reason: null,
      models: ['m'],
      waiting: 4,
      tokensPerSecond: 99.5,
      requests: 7,
      failures: 0,
    }
    const down = {
      ...up,
      url: 'http://b/v1',
      health: 'down',
      breaker: 'open',
      reason: 'connect ECONNREFUSED',
      models: [],
      waiting: null,
      tokensPerSecond: null,
    }
    const status = JSON.stringify({ role: 'miner', uid: 1, upstreams: [up, down] })
    const { stdout } = await runCommand(MinerUpstreams, await servePort(status))
    expect(stdout).toMatch(/http:\/\/a\/v1\s+up\s+1\/256\s+4\s+99\.5\s+7\s+0\s+m/)
    expect(stdout).toMatch(
      /http:\/\/b\/v1\s+down, breaker open\s+1\/256\s+-\s+-\s+7\s+0\s+connect ECONNREFUSED/,
    )
  })
})

describe('targon status and targon hub status', () => {
  const document = JSON.stringify(hubStatusOf())

  it('show a hub that answers on the port', async () => {
    const flags = await servePort(document)
    for (const command of [Status, HubStatusCommand]) {
      const { stdout } = await runCommand(command, flags)
      expect(stdout).toMatch(/^hub {8}uid 20 of subnet 4 · block 1,000/m)
      expect(stdout).toMatch(/^state {6}serving on http:\/\/127\.0\.0\.1:8080$/m)
      expect(stdout).toMatch(/^organics {3}40 kept/m)
    }
  })

  it('print it as JSON, beside the roles that do not run', async () => {
    const flags = await servePort(document)
    const all = JSON.parse((await runCommand(Status, [...flags, '--json'])).stdout)
    expect(all).toEqual({ miner: null, validator: null, hub: hubStatusOf() })
    const one = JSON.parse((await runCommand(HubStatusCommand, [...flags, '--json'])).stdout)
    expect(one).toEqual(hubStatusOf())
  })

  it('say which ports do not answer, and what to do', async () => {
    const flags = ['--metrics.port', String(await freePort())]
    for (const command of [Status, HubStatusCommand]) {
      const { status, stderr } = await runCommand(command, flags)
      expect(status).toBe(1)
      expect(stderr).toMatch(/NEURON_NOT_RUNNING.*Start the (?:neuron|hub), or set/)
    }
  })
})

describe('previewWeights', () => {
  const rules = {
    neuronCount: 8,
    minAllowedWeights: 1,
    maxWeightLimit: 1,
    rateLimitBlocks: 0,
    versionKey: 0,
    isCommitReveal: false,
    commitRevealVersion: 4,
  }
  const chain = (minAllowedWeights = 1) => ({
    weightRules: async () => ({ ...rules, minAllowedWeights }),
    weightsOf: async () => [{ uid: 5, weightU16: 65_535 }],
  })
  const { signal } = new AbortController()

  it('compares the weights to submit with those on chain', async () => {
    const preview = await previewWeights(chain(), 4, validator, signal)
    expect(preview).toMatchObject({ path: 'direct', skipped: undefined, validatorUid: 0 })
    expect(preview.weights).toMatchObject([
      { uid: 3, score: 120, weightU16: 65_535, onChainU16: 0 },
      { uid: 5, score: 0, weightU16: 0, onChainU16: 65_535 },
    ])
  })

  it('gives the reason if nothing would be submitted', async () => {
    const preview = await previewWeights(chain(4), 4, validator, signal)
    expect(preview.skipped).toContain('too-few-weights')
    expect(preview.weights.every(({ weightU16 }) => weightU16 === 0)).toBe(true)
  })
})
