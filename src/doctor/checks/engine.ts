import {
  type ConnectedEngine,
  connectEngine,
  insertsDate,
  type ModelFacts,
  parseEngineEndpoints,
  readModelFiles,
} from '../../engine/index.js'
import { messageOf, withDeadline } from '../../kernel/index.js'
import type { Check, ValidatorContext } from '../context.js'
import { fail, ok, type Seen, skip, warn } from '../finding.js'
import { calibrationFinding } from './calibration.js'
import { usesDocker } from './docker.js'
import { exposureFindings, unreachableReason } from './server-probes.js'

const READY_MS = 20_000
const SCORE_MS = 60_000
/** What a validator asks for per position (docs/verification.md). */
const USUAL_LOGPROBS = 20
/** Of a prompt, beside the answer. */
const PROMPT_TOKENS = 1024
/** Tokens scored to measure the speed, and what a round can wait for. */
const SCORED_TOKENS = 256
const SLOWEST_TOKENS_PER_SECOND = 100
const TEXT = 'The quick brown fox jumps over the lazy dog while seven wizards brew a potion. '.repeat(40)

export const engineCheck: Check<ValidatorContext> = {
  id: 'engine',
  title: 'the answers of the reference engines',
  deadlineMs: 180_000,
  run: async (context, signal) => {
    const { settings } = context
    const endpoints = parseEngineEndpoints(settings['engine.endpoints'])
    if (endpoints.length === 0)
      return usesDocker(settings, context.machine)
        ? [ok('The engines run as containers; they are started by the validator.')]
        : [
            fail(
              'No reference engine is configured, so no answer can be verified.',
              'Name a vLLM server with --engine.endpoints model=url, or install Docker and the NVIDIA driver for --engine.mode docker.',
            ),
          ]
    const seen = await Promise.all(
      endpoints.flatMap(({ model, urls }) =>
        urls.map((url) => examineEngine({ model, url }, context, signal)),
      ),
    )
    return seen.flat()
  },
}

interface Place {
  readonly model: string
  readonly url: string
}

async function examineEngine(
  { model, url }: Place,
  context: ValidatorContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  const { settings, clock, log, modelFiles } = context
  const apiKey = settings['engine.api-key']
  // Without them no engine becomes ready; that is the finding of the check of models.
  const areFilesReadable = await readModelFiles(modelFiles, model, signal).catch(() => {
    signal.throwIfAborted()
    return undefined
  })
  if (!areFilesReadable)
    return [skip(`${url} was not checked, because the files of ${model} cannot be read: see models.`)]
  const engine = connectEngine({ model, urls: [url], apiKey, ...modelFiles, clock, log })
  try {
    const reason =
      (await unreachableReason({ url, apiKey }, context, signal)) ??
      (await unreadyReason(engine, clock, signal))
    if (reason !== undefined)
      return [
        fail(
          `${url} cannot score answers of ${model}: ${reason}`,
          'Start vLLM with this model, and check --engine.endpoints, --engine.api-key and --engine.hub-url.',
        ),
      ]
    return await judgeEngine({ model, url }, engine, context, signal)
  } finally {
    await engine.close()
  }
}

async function unreadyReason(
  engine: ConnectedEngine,
  clock: ValidatorContext['clock'],
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await withDeadline(clock, 'the probe of the engine', READY_MS, signal, (own) => engine.whenReady(own))
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    return engine.unreadyReason ?? messageOf(error)
  }
}

async function judgeEngine(
  { model, url }: Place,
  engine: ConnectedEngine,
  context: ValidatorContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  const { facts } = engine
  if (!facts) return []
  const described =
    (await engine
      .servers?.()[0]
      ?.describe(signal)
      .catch(() => undefined)) ?? {}
  signal.throwIfAborted()
  const speed = await measureScoring(engine, context, signal)
  const hasDate = facts.endpoints.includes('chat') && (await insertsDate(engine, context.clock.now(), signal))
  const found = [
    ...factFindings(url, facts, context),
    ...cacheFindings(url, facts, described),
    ...(hasDate
      ? [
          warn(
            `${url}: the chat template of ${model} writes the server’s date into every prompt.`,
            'Start the server with TZ=UTC in its environment, as miners are told to.',
          ),
        ]
      : []),
    ...(speed < SLOWEST_TOKENS_PER_SECOND
      ? [
          warn(
            `${url} scores ${Math.round(speed)} tokens/s: a round of long answers takes minutes.`,
            'Give the engine a GPU, or less other work.',
          ),
        ]
      : []),
    ...(await exposureFindings({ url, apiKey: context.settings['engine.api-key'] }, context, signal)),
    ...(await calibrationFinding(model, described, context)),
  ]
  if (found.length > 0) return found
  const version = described.version === undefined ? '' : ` (vLLM ${described.version})`
  return [
    ok(
      `${url}${version} scores ${model}: ${Math.round(speed)} tokens/s, prompt_logprobs ${facts.maxLogprobs}.`,
    ),
  ]
}

function factFindings(url: string, facts: ModelFacts, { settings }: ValidatorContext): Seen[] {
  const { maxLogprobs, scaledLogprobs, maxModelLength } = facts
  const room = settings['round.max-tokens'].max + PROMPT_TOKENS + 1
  return [
    ...(maxLogprobs < USUAL_LOGPROBS
      ? [
          warn(
            `${url} returns at most ${maxLogprobs} log probabilities per position.`,
            'Start it with --max-logprobs 32.',
          ),
        ]
      : []),
    ...(scaledLogprobs
      ? [
          warn(
            `${url} states log probabilities after temperature and cuts, which miners of current vLLM do not.`,
            'Start it with --logprobs-mode raw_logprobs; vLLM before 0.10 needs an update.',
          ),
        ]
      : []),
    ...(maxModelLength !== undefined && maxModelLength < room
      ? [
          warn(
            `${url} has room for ${maxModelLength} tokens, but a prompt with an answer of --round.max-tokens may need ${room}.`,
            'Start it with a larger --max-model-len, or lower --round.max-tokens.',
          ),
        ]
      : []),
  ]
}

/** With a cache of prefixes, the values of a prompt may depend on those before it. */
function cacheFindings(
  url: string,
  { dialect }: ModelFacts,
  { enable_prefix_caching: caching }: Readonly<Record<string, string>>,
): Seen[] {
  if (caching?.toLowerCase() !== 'true') return []
  const saw = `${url} keeps prefixes of prompts in a cache; scores may depend on the requests before.`
  const next = 'Start it with --no-enable-prefix-caching.'
  return [dialect === 'v0' ? fail(saw, next) : warn(saw, next)]
}

/** @returns tokens per second of one scoring call */
async function measureScoring(
  engine: ConnectedEngine,
  { clock }: ValidatorContext,
  signal: AbortSignal,
): Promise<number> {
  const ids = (await engine.tokenizeText(TEXT, signal)).slice(0, SCORED_TOKENS)
  const request = { input: ids.slice(0, 8), output: ids.slice(8), temperature: 1, topK: USUAL_LOGPROBS }
  const startedAt = clock.monotonic()
  await withDeadline(clock, 'a scoring call', SCORE_MS, signal, (own) => engine.score(request, own))
  return (1000 * ids.length) / Math.max(1, clock.monotonic() - startedAt)
}
