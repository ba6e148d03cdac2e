import type { ValidatorSettings } from '../../../config/index.js'
import { secretSignatures } from '../../../epistula/index.js'
import {
  type AskThread,
  burstRuleOf,
  createAskThread,
  createMinerAgent,
  prepareRequest,
  sendPrepared,
} from '../../../inference/index.js'
import { type Clock, type Log, withDeadline } from '../../../kernel/index.js'
import { makePrompt, type QuestionSource, type QuestionWriter, type Random } from '../../../prompts/index.js'
import { verifyAnswer } from '../../../verification/index.js'
import type { Signer } from '../../../wallet/index.js'
import { originOf } from '../subnet/index.js'
import type { RoundPorts } from './round.js'

export interface PortsOptions {
  readonly clock: Clock
  readonly log: Log
  readonly signer: Signer
  readonly random: Random
  /** Bundled ones when absent. */
  readonly questions?: QuestionSource | undefined
}

/** An engine that hangs must hold neither a verdict nor a round for ever. */
const VERIFY_TIMEOUT_MS = 120_000
const REWRITE_TIMEOUT_MS = 10_000
const THREAD_TIMEOUT_MS = 20_000

/**
 * The real ways out of a round: prompts/, inference/ and verification/ with this validator's settings. Answers are read
 * and timed on a thread of their own; when it cannot start, on the main loop, whose stalls then void results.
 */
export async function connectPorts(
  settings: ValidatorSettings,
  { clock, log, signer, random, questions }: PortsOptions,
) {
  const thread = settings['round.thread'] ? await startAskThread(clock, log) : undefined
  const dispatcher = createMinerAgent()
  const limits = {
    firstTokenMs: settings['miner-timeout'] * 1000,
    totalMs: settings['round.hard-cap'] * 1000,
  }
  const rules = settings['verification.rules']
  const burst = burstRuleOf(settings['verification.burst'])
  const ports: Pick<RoundPorts, 'prompts' | 'signAhead' | 'prepare' | 'verify'> = {
    prompts: async ({ model, endpoint, engine }, round, signal) => {
      const prompt = await makePrompt(
        {
          model,
          endpoints: [endpoint],
          maxTokens: settings['round.max-tokens'],
          random: random.fork(String(round)),
          clock,
          sameForAll: settings['round.parity'],
          ...(questions ? { questions } : {}),
          onFallback: (reason) =>
            log.debug({ event: 'prompt-fallback', reason }, 'used a fallback while making a prompt'),
          // An engine's free generation does not repeat, so a seeded run asks the questions as they are.
          ...(settings.seed === undefined ? { engine: withRewriteDeadline(clock, engine) } : {}),
        },
        signal,
      )
      return ({ hotkey }) => prompt.forMiner(hotkey)
    },
    signAhead: ({ hotkey }) => void secretSignatures(signer, hotkey, clock.now()),
    prepare: (request, miner) => {
      const target = { url: originOf(miner.axon), hotkey: miner.hotkey }
      const prepared = prepareRequest(request, target, { signer, clock })
      return (signal) =>
        thread
          ? thread.send(prepared, { limits, rules, burst, signal })
          : sendPrepared(prepared, { clock, dispatcher, limits, signal, rules, burst })
    },
    verify: (engine, request, answer, signal) =>
      withDeadline(clock, 'verifying an answer', VERIFY_TIMEOUT_MS, signal, (inner) =>
        verifyAnswer({ request, answer, engine, rules, clock, signal: inner }),
      ),
  }
  const close = async () => {
    await Promise.all([thread?.close(), dispatcher.destroy()])
  }
  return { ports, close }
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
