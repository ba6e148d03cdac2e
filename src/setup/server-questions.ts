import type { Answers, Given, SetupDeps } from './answers.js'
import { baseUrlOf, type ProbedModels } from './probe-models.js'

const MOST_SERVERS = 64

interface Server {
  /** Without `/v1`. */
  readonly url: string
  readonly apiKey: string | undefined
  readonly models: readonly string[]
}

/** The miner's model servers, probed as they are typed. */
export async function askModelServers(
  { settings, has }: Given<'miner'>,
  answers: Answers,
  deps: SetupDeps,
): Promise<void> {
  if (has('upstreams')) {
    answers.set('upstreams', settings.upstreams)
    return
  }
  const key = settings['api-key']
  if (has('model-endpoint')) {
    answers.set('model-endpoint', settings['model-endpoint'])
    if (key !== undefined) answers.set('api-key', key)
    return
  }
  const servers = await askServers('http://127.0.0.1:8000', key, deps, (probed) => {
    if (!probed.returnsTokenIds)
      deps.asker.note('  It returns no token ids: start it with --return-tokens-as-token-ids.')
  })
  const keys = new Set(servers.map(({ apiKey }) => apiKey))
  if (keys.size > 1) {
    const entries = servers.map(({ url, apiKey }) => ({ url: `${url}/v1`, ...(apiKey ? { apiKey } : {}) }))
    answers.set('upstreams', entries)
    return
  }
  answers.set(
    'model-endpoint',
    servers.map(({ url }) => `${url}/v1`),
  )
  const [common] = keys
  if (common !== undefined) answers.set('api-key', common)
}

/** The validator's engines: addresses, or containers on this host. */
export async function askEngines(
  { settings, has }: Given<'validator'>,
  answers: Answers,
  deps: SetupDeps,
): Promise<void> {
  const key = settings['engine.api-key']
  const mode = settings['engine.mode']
  if (has('engine.mode')) answers.set('engine.mode', mode)
  if (has('engine.endpoints')) {
    answers.set('engine.endpoints', settings['engine.endpoints'])
    if (key !== undefined) answers.set('engine.api-key', key)
    return
  }
  if (mode === 'docker') return
  const runs = await deps.asker.choose('Where do the reference engines run?', [
    { name: 'vLLM servers that I run', value: 'endpoints' as const },
    { name: 'containers that the validator starts (Docker and NVIDIA GPUs)', value: 'docker' as const },
  ])
  answers.set('engine.mode', runs)
  if (runs === 'docker') return
  const servers = await askServers('http://127.0.0.1:9000', key, deps)
  const items = servers.flatMap(({ url, models }) => models.map((model) => `${model}=${url}`))
  answers.set('engine.endpoints', items)
  const common = servers.find(({ apiKey }) => apiKey !== undefined)?.apiKey
  if (common !== undefined) answers.set('engine.api-key', common)
}

/** @returns at least one server */
async function askServers(
  usual: string,
  key: string | undefined,
  deps: SetupDeps,
  onServing: (probed: Extract<ProbedModels, { kind: 'serves' }>) => void = () => {},
): Promise<readonly Server[]> {
  const { asker } = deps
  const servers: Server[] = []
  while (servers.length < MOST_SERVERS) {
    const isFirst = servers.length === 0
    const question = isFirst ? 'Address of a vLLM server' : 'Address of another one (empty: no more)'
    const typed = await asker.type(question, isFirst ? usual : '', (text) =>
      text === '' && !isFirst ? undefined : addressProblem(text),
    )
    if (typed === '') return servers
    const url = baseUrlOf(typed) ?? typed
    if (servers.some((other) => other.url === url)) {
      asker.note('  That one is in the list already.')
      continue
    }
    const server = await askServer(url, servers.at(-1)?.apiKey ?? key, deps, onServing)
    if (server) servers.push(server)
  }
  return servers
}

function addressProblem(text: string): string | undefined {
  return baseUrlOf(text) === undefined ? 'Type an address like http://127.0.0.1:8000.' : undefined
}

/** @returns undefined when the operator drops it */
async function askServer(
  url: string,
  key: string | undefined,
  { asker, probeModels }: SetupDeps,
  onServing: (probed: Extract<ProbedModels, { kind: 'serves' }>) => void,
): Promise<Server | undefined> {
  let apiKey: string | undefined
  let probed = await probeModels(url, undefined)
  // A key is stored only where a server wants one.
  if (probed.kind === 'locked' && key !== undefined) {
    apiKey = key
    probed = await probeModels(url, apiKey)
  }
  while (probed.kind === 'locked') {
    asker.note(apiKey === undefined ? '  It wants a key.' : '  It refuses this key.')
    apiKey = await asker.typeSecret('Key of this server (empty: skip it)')
    if (apiKey === '') return undefined
    probed = await probeModels(url, apiKey)
  }
  if (probed.kind === 'serves') {
    asker.note(`  It serves ${probed.models.join(', ')}.`)
    onServing(probed)
    return { url, apiKey, models: probed.models }
  }
  asker.note(`  It cannot be used now: ${probed.reason}.`)
  if (!(await asker.confirm('Keep it anyway?', false))) return undefined
  const model = await asker.type('Name of its model', 'NousResearch/Meta-Llama-3.1-8B-Instruct')
  return { url, apiKey, models: [model] }
}
