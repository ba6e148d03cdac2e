import { Args, Flags } from '@oclif/core'
import type { Metagraph } from '../chain/index.js'
import {
  askPassword,
  BaseCommand,
  EXIT_STATUS,
  flagsOf,
  formatTable,
  type Invocation,
  openQuietLog,
  readPrompt,
  runUntilStopped,
  writeAnswer,
  writeJson,
} from '../cli/index.js'
import { isGiven, passwordVariables, type QuerySettings } from '../config/index.js'
import { escapeControls, isSpecialAddress, systemClock } from '../kernel/index.js'
import type { ListedMiner, Miner, QueryOptions, QueryReply } from '../roles/index.js'

type QueryRole = typeof import('../roles/query/index.js')
type QueryDeps = QueryOptions & { readonly log: Awaited<ReturnType<typeof openQuietLog>> }

export default class Query extends BaseCommand {
  static override summary = 'Query a miner and stream its answer'

  static override description =
    'Prints the answer on standard output, and the time to first token, tokens per second and verdict (--verify) on standard error. With --axon and --hotkey no chain connection is needed. --all exits with 1 when no miner gave a good answer.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> "Why is the sky blue?"',
    'echo "Why?" | <%= config.bin %> <%= command.id %> --uid 7 --model NousResearch/Meta-Llama-3.1-8B-Instruct',
    '<%= config.bin %> <%= command.id %> --list',
    '<%= config.bin %> <%= command.id %> --self --wallet.name mine --wallet.hotkey h1',
    '<%= config.bin %> <%= command.id %> --all "Compare yourselves."',
  ]

  static override usage = 'query [PROMPT] [FLAGS]'

  static override args = {
    prompt: Args.string({
      description: 'The prompt; read from standard input if absent or -.',
      ignoreStdin: true,
    }),
  }

  static override flags = {
    ...flagsOf('query'),
    list: Flags.boolean({
      summary: 'List miners and the models they serve.',
      exclusive: ['all'],
      helpGroup: 'QUERY',
    }),
    all: Flags.boolean({
      summary: 'Query every miner that serves the model and compare the answers.',
      helpGroup: 'QUERY',
    }),
    self: Flags.boolean({
      summary:
        'Query your own miner at the address that it announced on chain, and tell what a validator would see.',
      exclusive: ['all', 'list', 'ndjson', 'uid', 'hotkey', 'axon'],
      helpGroup: 'QUERY',
    }),
    ndjson: Flags.boolean({
      summary: 'Stream JSON lines: {"text"} for each chunk, then {"result"}.',
      exclusive: ['json', 'all', 'list'],
      helpGroup: 'QUERY',
    }),
  }

  run(): Promise<unknown> {
    return this.runWith('query', (invocation) =>
      runUntilStopped({ exitWithStdin: false }, (signal) =>
        invocation.actions.self ? this.#querySelf(invocation, signal) : this.#query(invocation, signal),
      ),
    )
  }

  async #query(invocation: Invocation<'query'>, signal: AbortSignal): Promise<unknown> {
    const { settings, actions, args } = invocation
    const prompt = actions.list
      ? ''
      : await readPrompt(typeof args.prompt === 'string' ? args.prompt : undefined, signal)
    const query = await import('../roles/query/index.js')
    if (settings.hotkey !== undefined) await query.requireHotkey(settings.hotkey)
    const deps = await openDeps(settings, signal)
    const known = await this.#knownMiners(invocation, deps)
    const { uid, hotkey, axon, model: wanted } = settings
    const isNamed = uid !== undefined || hotkey !== undefined || axon !== undefined
    const named = isNamed && !actions.all ? [query.findMiner(known, settings)] : known
    // A stop ends the requests, and what they then say of the miners is not theirs.
    const listModels = async () => unlessStopped(signal, await query.listModels(named, deps))
    if (actions.list) return this.#printList(await listModels())
    const needsList = !isNamed || wanted === undefined || actions.all
    const listed = needsList ? await listModels() : []
    const chosen: { model: string; serving: readonly Miner[] } = needsList
      ? query.chooseModel(listed, wanted)
      : { model: wanted, serving: named }
    const { model, serving } = chosen
    const silent = actions.all ? query.describeSilent(listed) : undefined
    if (silent !== undefined) this.logToStderr(escapeControls(silent))
    const request = query.buildRequest(settings, model, prompt)
    const verifier = settings.verify
      ? await query.openVerifier(settings, model, this.config.cacheDir, deps)
      : undefined
    const ask = async (miner: Miner, given: QueryOptions) =>
      unlessStopped(signal, await query.queryMiner(request, miner, verifier, given))
    try {
      if (actions.all)
        return this.#printAll(model, await Promise.all(serving.map((one) => ask(one, deps))), query)
      const ndjson = actions.ndjson === true
      return this.#printReply(await ask(pick(serving), this.#streaming(deps, ndjson)), query, ndjson)
    } finally {
      await verifier?.close()
    }
  }

  /** Verifies the answer where there is a reference engine for the model. */
  async #querySelf(invocation: Invocation<'query'>, signal: AbortSignal): Promise<unknown> {
    const { settings, args } = invocation
    const prompt = typeof args.prompt === 'string' ? await readPrompt(args.prompt, signal) : undefined
    const query = await import('../roles/query/index.js')
    const { parseEngineEndpoints } = await import('../engine/index.js')
    const deps = await openDeps(settings, signal)
    const isLocal = settings['subtensor.network'].toLowerCase() === 'local'
    const self = await this.#withMetagraph(invocation, deps, (metagraph) =>
      query.findSelf(metagraph, deps.signer.address, settings['allow-private-axons'] || isLocal),
    )
    this.printWarnings(self.warnings)
    const models = await query.listOwnModels(self, deps)
    const { model } = query.chooseModel([{ ...self, models }], settings.model)
    const request = query.buildRequest(settings, model, prompt ?? query.SELF_PROMPT)
    const references = parseEngineEndpoints(settings['engine.endpoints'])
    const isVerifiable = settings.verify || references.some((engine) => engine.model === model)
    const verifier = isVerifiable
      ? await query.openVerifier(settings, model, this.config.cacheDir, deps)
      : undefined
    try {
      const reply = unlessStopped(signal, await query.queryMiner(request, self, verifier, deps))
      this.log(formatTable(query.describeSelf(self, models, reply)))
      query.requireGoodReply(reply, query.MEND_OWN_MINER)
      const { announcedAtBlock, warnings } = self
      return { ...query.reportReply(reply), models, announcedAtBlock, warnings }
    } finally {
      await verifier?.close()
    }
  }

  async #withMetagraph<T>(
    { settings, resolved }: Invocation<'query'>,
    deps: QueryDeps,
    use: (metagraph: Metagraph) => T,
  ): Promise<T> {
    const { connectNeuronChain } = await import('../roles/index.js')
    const subtensor = await connectNeuronChain(settings, isGiven(resolved, 'subtensor.network'), deps)
    try {
      return use(await subtensor.metagraph(settings.netuid, deps.signal))
    } finally {
      await subtensor.close()
    }
  }

  /** Reads the miners from the chain, unless one is given by address and hotkey. */
  async #knownMiners(invocation: Invocation<'query'>, deps: QueryDeps): Promise<Miner[]> {
    const { settings } = invocation
    const { axon, hotkey, uid } = settings
    const { minerUrlOf, servingMiners } = await import('../roles/query/index.js')
    if (axon !== undefined && hotkey !== undefined && uid === undefined)
      return [{ uid: undefined, hotkey, url: minerUrlOf(axon) }]
    const isPrivateAllowed = settings['allow-private-axons'] || axon !== undefined
    const isAllowed = (ip: string) => isPrivateAllowed || !isSpecialAddress(ip)
    return await this.#withMetagraph(invocation, deps, (metagraph) =>
      servingMiners(metagraph, deps.signer.address, isAllowed),
    )
  }

  #streaming(deps: QueryOptions, ndjson: boolean): QueryOptions {
    if (this.jsonEnabled()) return deps
    const onText = ndjson ? (text: string) => writeJson({ text }, 0) : writeAnswer
    return { ...deps, onText }
  }

  #printAll(model: string, replies: readonly QueryReply[], query: QueryRole): unknown {
    this.log(formatTable(query.compareReplies(replies), [0, 2, 3, 4]))
    if (!replies.some(query.isGoodReply)) process.exitCode = EXIT_STATUS.runtime
    return { model, answers: replies.map(query.reportReply) }
  }

  #printReply(reply: QueryReply, query: QueryRole, ndjson: boolean): unknown {
    const report = query.reportReply(reply)
    if (ndjson) writeJson({ result: report }, 0)
    else if (!this.jsonEnabled() && reply.answer.text !== '') this.log()
    if (!reply.answer.fault) this.logToStderr(query.summarizeReply(reply))
    query.requireGoodReply(reply)
    return report
  }

  #printList(miners: readonly ListedMiner[]): unknown {
    const rows = miners.map(({ uid, hotkey, url, models, fault }) => [
      String(uid ?? '-'),
      hotkey,
      url,
      fault === undefined ? models.join(', ') || 'none' : `(${fault})`,
    ])
    this.log(formatTable([['uid', 'hotkey', 'address', 'models'], ...rows], [0]))
    return { miners }
  }
}

async function openDeps(settings: QuerySettings, signal: AbortSignal): Promise<QueryDeps> {
  const { loadNeuronHotkey } = await import('../roles/index.js')
  const prompt = (question: string) => askPassword(question, signal)
  const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt })
  const log = await openQuietLog('query', settings)
  return { signer, clock: systemClock, signal, log, timeoutMs: settings['query-timeout'] * 1000 }
}

/** @throws the reason of the signal when it has aborted. */
function unlessStopped<T>(signal: AbortSignal, result: T): T {
  signal.throwIfAborted()
  return result
}

/** Picks at random, to spread the load. */
function pick<T>(choices: readonly T[]): T {
  const chosen = choices[Math.floor(Math.random() * choices.length)]
  if (chosen === undefined) throw new RangeError('nothing to pick from')
  return chosen
}
