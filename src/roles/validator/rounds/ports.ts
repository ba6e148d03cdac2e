import { secretSignatures } from '../../../epistula/index.js'
import {
  type AskThread,
  burstRuleOf,
  createAskThread,
  createMinerAgent,
  prepareRequest,
  type StallWatch,
  sendPrepared,
  watchStalls,
} from '../../../inference/index.js'
import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'
import { makePrompt, type QuestionSource, type QuestionWriter, type Random } from '../../../prompts/index.js'
import { verifyAnswer } from '../../../verification/index.js'
import { originOf, type ValidatorContext } from '../subnet/index.js'
import { ModelSpeeds } from './model-speeds.js'
import type { RoundPorts } from './round.js'

export interface PromptSources {
  readonly random: Random
  /** The bundled questions when absent. */
  readonly questions?: QuestionSource | undefined
}

/** The ports of a validator's rounds, and what must be closed after them. */
export interface ConnectedPorts {
  readonly ports: RoundPorts
  close(): Promise<void>
}

type PortsContext = Pick<ValidatorContext, 'clock' | 'log' | 'signal' | 'settings' | 'signer' | 'metrics'>

/** Deadlines, so that an engine that hangs blocks neither a verdict nor a round. */
const PROMPT_TIMEOUT_MS = 30_000
const REWRITE_TIMEOUT_MS = 10_000
const VERIFY_TIMEOUT_MS = 120_000
const THREAD_TIMEOUT_MS = 20_000

/**
 * Connects a round to prompts/, inference/ and verification/ with this validator's settings. Answers are read and timed
 * on a thread of their own; when it cannot start, on the main thread, whose stalls then void results.
 */
export async function connectPorts(context: PortsContext, sources: PromptSources): Promise<ConnectedPorts> {
  const { clock, log, settings, signal, metrics } = context
  const stalls = watchStalls(clock, signal)
  const thread = settings['round.thread'] ? await startAskThread(clock, log) : undefined
  const dispatcher = createMinerAgent()
  const rules = settings['verification.rules']
  const speeds = new ModelSpeeds()
  return {
    ports: {
      clock,
      ...promptPort(context, sources, speeds),
      ...callPorts(context, { dispatcher, stalls, thread }, speeds),
      noteResult: (result) => speeds.noteResult(result),
      verify: (engine, request, answer, outer, onCompared) =>
        withDeadline(clock, 'verifying an answer', VERIFY_TIMEOUT_MS, outer, async (inner) => {
          const startedAt = clock.monotonic()
          const verdict = await verifyAnswer({
            ...{ request, answer, engine, rules, clock, signal: inner, onCompared },
          })
          const seconds = (clock.monotonic() - startedAt) / 1000
          metrics.verificationDuration.observe({ model: request.model }, seconds)
          return verdict
        }),
      stallSince: stalls.stallSince,
      stallLimitMs: settings['round.stall-limit'],
    },
    close: async () => {
      await Promise.all([thread?.close(), dispatcher.destroy()])
    },
  }
}

function promptPort(
  { clock, log, settings }: PortsContext,
  { random, questions }: PromptSources,
  speeds: ModelSpeeds,
): Pick<RoundPorts, 'prompts'> {
  return {
    prompts: ({ model, endpoint, engine }, round, outer) =>
      withDeadline(clock, 'making the prompts of a round', PROMPT_TIMEOUT_MS, outer, async (signal) => {
        const prompt = await makePrompt(
          {
            model,
            endpoints: [endpoint],
            maxTokens: settings['round.max-tokens'],
            random: random.fork(String(round)),
            clock,
            greedyShare: settings['round.greedy-share'],
            asksForUsage: settings['verification.rules'] === 'strict',
            sameForAll: settings['round.parity'],
            ...(questions ? { questions } : {}),
            onFallback: (reason) =>
              log.debug({ event: 'prompt-fallback', reason }, 'sent the question without rewriting it'),
            // What an engine writes is not reproducible, so a seeded run sends the questions unchanged.
            ...(settings.seed === undefined ? { engine: withRewriteDeadline(clock, engine) } : {}),
          },
          signal,
        )
        speeds.noteEngine(model, engine.generatedTokensPerSecond)
        return ({ hotkey }) => prompt.forMiner(hotkey)
      }),
  }
}

interface Readers {
  readonly dispatcher: ReturnType<typeof createMinerAgent>
  readonly stalls: StallWatch
  /** Undefined: answers are read on the main thread. */
  readonly thread: AskThread | undefined
}

function callPorts(
  { clock, settings, signer }: PortsContext,
  { dispatcher, stalls, thread }: Readers,
  speeds: ModelSpeeds,
): Pick<RoundPorts, 'signAhead' | 'prepare'> {
  const limits = {
    firstTokenMs: settings['miner-timeout'] * 1000,
    totalMs: settings['round.hard-cap'] * 1000,
  }
  const rules = settings['verification.rules']
  return {
    signAhead: ({ hotkey }) => void secretSignatures(signer, hotkey, clock.now()),
    prepare: (request, miner) => {
      const target = { url: originOf(miner.axon), hotkey: miner.hotkey }
      const prepared = prepareRequest(request, target, { signer, clock })
      const measured = speeds.of(request.model, miner.hotkey)
      const burst = burstRuleOf(settings['verification.burst'], measured)
      return (signal, onProgress) => {
        const options = { limits, rules, burst, signal, onProgress }
        return thread
          ? thread.send(prepared, options)
          : sendPrepared(prepared, { ...options, clock, dispatcher, stalls })
      }
    },
  }
}

async function startAskThread(clock: Clock, log: Log): Promise<AskThread | undefined> {
  const thread = createAskThread(log)
  try {
    await withDeadline(clock, 'starting the reading thread', THREAD_TIMEOUT_MS, undefined, () =>
      thread.ready(),
    )
    return thread
  } catch (error) {
    log.error(
      { event: 'ask-thread-unavailable', err: error },
      'the reading thread did not start; answers are timed on the main thread',
    )
    await thread.close()
    return undefined
  }
}

function withRewriteDeadline(clock: Clock, engine: QuestionWriter): QuestionWriter {
  return {
    generate: (request, signal) =>
      withDeadline(clock, 'rewriting a question', REWRITE_TIMEOUT_MS, signal, (inner) =>
        engine.generate(request, inner),
      ),
  }
}
