import type { UpstreamSettings } from '../../routing/index.js'
import type { Check, MinerContext } from '../context.js'
import { fail, ok, type Seen, skip, warn } from '../finding.js'
import { bufferingFindings, exposureFindings, readVersion } from './server-probes.js'

type MinerCheck = Awaited<ReturnType<typeof import('../../roles/miner/check/index.js')['checkMiner']>>

/** Chats and completions, one of them greedy; the full check is targon miner check. */
const ANSWERS = 4
/** Enough to see each finding of a server's settings; doctor is run while somebody waits. */
const TOKENS = { min: 48, max: 96 }
/** For the probe of each model, and its files from the hub. */
const READY_MS = 15_000

export const upstreamCheck: Check<MinerContext> = {
  id: 'upstream',
  title: 'the answers of the model servers',
  deadlineMs: 240_000,
  run: async (context, signal) => {
    const { readUpstreams } = await import('../../roles/miner/serving/index.js')
    const servers = readUpstreams(context.settings)
    if (servers.length === 0)
      return [
        fail(
          'No model server is configured.',
          'Give one or more with --model-endpoint http://127.0.0.1:8000/v1.',
        ),
      ]
    const seen = await Promise.all(servers.map((server) => examineServer(server, context, signal)))
    return seen.flat()
  },
}

async function examineServer(
  server: UpstreamSettings,
  context: MinerContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  const { clock, log, modelFiles } = context
  const options = {
    servers: [server],
    against: [],
    againstKey: undefined,
    hub: modelFiles,
    answers: ANSWERS,
    tokens: TOKENS,
    seed: 'doctor',
  }
  const { checkMiner } = await import('../../roles/miner/check/index.js')
  const checked = await checkMiner(options, { clock, log, signal, readyMs: READY_MS })
  const probed = { url: server.url.replace(/\/v1$/, ''), apiKey: server.apiKey }
  const [model] = checked.servers.flatMap(({ models }) => models)
  const [version, exposed, buffered] = await Promise.all([
    readVersion(probed, context, signal),
    exposureFindings(probed, context, signal),
    model ? bufferingFindings(probed, model.model, context, signal) : [],
  ])
  const found = [...exposed, ...buffered, ...findingsOf(checked)]
  const isSound = found.every(({ state }) => state === 'skip')
  return isSound ? [...summariesOf(checked, server.url, version), ...found] : found
}

function findingsOf({ servers }: MinerCheck): Seen[] {
  return servers.flatMap(({ server, findings, models }) => [
    ...findings.flatMap((finding) => seenOf(server, finding)),
    ...models.flatMap(({ model, findings: own }) =>
      own.flatMap((finding) => seenOf(`${server} ${model}`, finding)),
    ),
  ])
}

type CheckFinding = MinerCheck['servers'][number]['findings'][number]

function seenOf(where: string, { code, weight, seen, fix }: CheckFinding): Seen[] {
  const saw = `${where}: ${seen}`
  const next = fix ?? 'Run targon miner check to see more.'
  // Validators judge with their own engine: that this server cannot score is no fault of a miner.
  if (code === 'no-reference') return [skip(saw)]
  if (weight === 'fails') return [fail(saw, next)]
  return weight === 'warns' || code === 'template-date' ? [warn(saw, next)] : []
}

function summariesOf({ servers }: MinerCheck, url: string, version: string | undefined): Seen[] {
  const what = version === undefined ? url : `${url} (vLLM ${version})`
  return servers
    .flatMap(({ models }) => models)
    .filter(({ answers }) => answers.verified > 0)
    .map(({ model, answers, firstTokenMs, tokensPerSecond }) => {
      const first = firstTokenMs === null ? '' : `, first token after ${Math.round(firstTokenMs)} ms`
      const speed = tokensPerSecond === null ? '' : `, ${Math.round(tokensPerSecond)} tokens/s`
      const { verified, failed, notJudged } = answers
      return ok(
        `${what} ${model}: ${verified} of ${verified + failed + notJudged} answers verified${first}${speed}.`,
      )
    })
}
