import { Args, Flags } from '@oclif/core'
import {
  askPassword,
  BaseCommand,
  flagsOf,
  formatTable,
  type Invocation,
  openQuietLog,
  readPrompt,
  runUntilStopped,
  writeAnswer,
} from '../cli/index.js'
import { systemClock } from '../clock.js'
import { passwordVariables } from '../config/index.js'
import type { AskDeps, JudgedReply, ListedMiner, Miner } from '../roles/index.js'

export default class Query extends BaseCommand {
  static override summary = 'Ask a miner and stream its answer.'

  static override description =
    'The answer goes to standard output; time to first token, tokens per second and the verdict (--verify) go to standard error. With --axon and --hotkey no chain is needed.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> "Why is the sky blue?"',
    'echo "Why?" | <%= config.bin %> <%= command.id %> --uid 7 --model NousResearch/Meta-Llama-3.1-8B-Instruct',
    '<%= config.bin %> <%= command.id %> --list',
    '<%= config.bin %> <%= command.id %> --all "Compare yourselves."',
  ]

  static override usage = 'query [PROMPT] [FLAGS]'

  static override args = {
    prompt: Args.string({
      description: 'The prompt; standard input when absent or -.',
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
      summary: 'Ask every miner that serves the model and compare them.',
      helpGroup: 'QUERY',
    }),
    ndjson: Flags.boolean({
      summary: 'Stream JSON lines: {"text"} for each chunk, then one with the result.',
      exclusive: ['json', 'all', 'list'],
      helpGroup: 'QUERY',
    }),
  }

  async run(): Promise<unknown> {
    const invocation = await this.readInvocation('query')
    if (invocation.actions['print-config']) return this.printConfig(invocation.resolved)
    this.printWarnings(invocation.warnings)
    return runUntilStopped({ exitWithStdin: false }, (signal) => this.#answer(invocation, signal))
  }

  async #answer(invocation: Invocation<'query'>, signal: AbortSignal): Promise<unknown> {
    const { settings, actions, args } = invocation
    const prompt = actions.list
      ? ''
      : await readPrompt(typeof args.prompt === 'string' ? args.prompt : undefined)
    const query = await import('../roles/query/index.js')
    if (settings.hotkey !== undefined) query.requireHotkey(settings.hotkey)
    const { loadNeuronHotkey } = await import('../roles/index.js')
    const signer = await loadNeuronHotkey(settings, { variables: passwordVariables(), prompt: askPassword })
    const log = await openQuietLog('query', settings)
    const deps = { signer, clock: systemClock, signal, log, timeoutMs: settings['query-timeout'] * 1000 }
    const known = await this.#knownMiners(invocation, deps)
    const { uid, hotkey, axon, model: wanted } = settings
    const isNamed = uid !== undefined || hotkey !== undefined || axon !== undefined
    const named = isNamed && !actions.all ? [query.findMiner(known, settings)] : known
    if (actions.list) return this.#printList(await query.listModels(named, deps))
    const needsList = !isNamed || wanted === undefined || actions.all
    const chosen: { model: string; serving: readonly Miner[] } = needsList
      ? query.chooseModel(await query.listModels(named, deps), wanted)
      : { model: wanted, serving: named }
    const { model, serving } = chosen
    const request = query.buildRequest(settings, model, prompt)
    const judge = settings.verify
      ? await query.openJudge(settings, model, this.config.cacheDir, deps)
      : undefined
    try {
      if (actions.all) {
        const replies = await Promise.all(
          serving.map((miner) => query.askAndJudge(request, miner, judge, deps)),
        )
        this.log(formatTable(query.compareReplies(replies), [0, 2, 3, 4]))
        return { model, answers: replies.map(query.reportReply) }
      }
      const reply = await query.askAndJudge(
        request,
        pick(serving),
        judge,
        this.#streaming(deps, actions.ndjson === true),
      )
      return this.#printReply(reply, query, actions.ndjson === true)
    } finally {
      await judge?.close()
    }
  }

  /** Miners of the chain; the one given by address and hotkey needs no chain. */
  async #knownMiners(
    { settings, resolved }: Invocation<'query'>,
    deps: AskDeps & { readonly log: Awaited<ReturnType<typeof openQuietLog>> },
  ): Promise<Miner[]> {
    const { axon, hotkey, uid } = settings
    const { minerUrlOf, servingMiners } = await import('../roles/query/index.js')
    if (axon !== undefined && hotkey !== undefined && uid === undefined)
      return [{ uid: undefined, hotkey, url: minerUrlOf(axon) }]
    const { connectNeuronChain } = await import('../roles/index.js')
    const { isForbiddenAddress } = await import('../roles/validator/index.js')
    const isNetworkGiven = resolved.origins['subtensor.network']?.kind !== 'default'
    const subtensor = await connectNeuronChain(settings, isNetworkGiven, deps)
    try {
      const metagraph = await subtensor.metagraph(settings.netuid, deps.signal)
      const everywhere = settings['allow-private-axons'] || axon !== undefined
      return servingMiners(metagraph, deps.signer.address, (ip) => everywhere || !isForbiddenAddress(ip))
    } finally {
      await subtensor.close()
    }
  }

  #streaming(deps: AskDeps, ndjson: boolean): AskDeps {
    if (this.jsonEnabled()) return deps
    const onText = ndjson
      ? (text: string) => void process.stdout.write(`${JSON.stringify({ text })}\n`)
      : writeAnswer
    return { ...deps, onText }
  }

  #printReply(reply: JudgedReply, query: typeof import('../roles/query/index.js'), ndjson: boolean): unknown {
    const report = query.reportReply(reply)
    if (ndjson) process.stdout.write(`${JSON.stringify({ result: report })}\n`)
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

/** Any of them: always the same one would get all the load. */
function pick<T>(choices: readonly T[]): T {
  const chosen = choices[Math.floor(Math.random() * choices.length)]
  if (chosen === undefined) throw new RangeError('nothing to pick from')
  return chosen
}
