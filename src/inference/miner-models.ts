import type { Dispatcher } from 'undici'
import { z } from 'zod'
import { signRequest } from '../epistula/index.js'
import { type Clock, isDescriptorShortage, messageOf, parseJson } from '../kernel/index.js'
import type { Signer } from '../wallet/index.js'
import type { MinerTarget } from './ask-miner.js'
import { type CollectOptions, collectBody, ErrorResponse } from './collect-body.js'
import { createMinerAgent } from './miner-agent.js'

/** Bounds on a miner's model list. */
const MODELS_TIMEOUT_MS = 3000
const MODELS_BYTES = 256 * 1024
const MODELS_COUNT = 512
const MODELS_JSON = { depth: 8, values: 4 * MODELS_COUNT }

/** `org/name`, made of letters, digits and `_ . - / :`. */
const modelName = z.string().regex(/^[\w.\-/:]{1,200}$/)
const modelList = z.array(z.unknown()).max(MODELS_COUNT)

export interface ModelsOptions {
  readonly signer: Signer
  readonly clock: Clock
  readonly dispatcher?: Dispatcher | undefined
  readonly signal?: AbortSignal | undefined
}

/** The models a miner serves, or why it did not return a list. */
export type ModelsAnswer =
  | { readonly kind: 'models'; readonly models: readonly string[] }
  | {
      readonly kind: 'failed'
      readonly reason: string
      /** HTTP status of an error response; absent when none arrived. */
      readonly status?: number
      /** This process had no file descriptor left to ask with, which says nothing about the miner. */
      readonly isOwnFault?: true
    }

/**
 * Reads GET /models of a miner (4.4.1 validator.py): distinct names in the given order. Entries that are not model names
 * are dropped; more than 512 entries, 256 KiB or 3 s are a failure.
 */
export async function listModels(target: MinerTarget, options: ModelsOptions): Promise<ModelsAnswer> {
  try {
    const body = await callModels(target, 'GET', undefined, options)
    const list = modelList.parse(parseJson(body.toString('utf8'), MODELS_JSON))
    const names = list.flatMap((entry) => modelName.safeParse(entry).data ?? [])
    return { kind: 'models', models: [...new Set(names)] }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (isDescriptorShortage(error)) return { kind: 'failed', reason: messageOf(error), isOwnFault: true }
    if (error instanceof ErrorResponse) return { kind: 'failed', reason: error.message, status: error.status }
    return { kind: 'failed', reason: error instanceof z.ZodError ? 'not a list of models' : messageOf(error) }
  }
}

/**
 * POST /models: tells a miner which models this validator queries.
 *
 * @returns undefined when the miner accepted the list, otherwise the reason
 */
export async function postModels(
  target: MinerTarget,
  models: readonly string[],
  options: ModelsOptions,
): Promise<string | undefined> {
  try {
    await callModels(target, 'POST', Buffer.from(JSON.stringify(models), 'utf8'), options)
    return undefined
  } catch (error) {
    options.signal?.throwIfAborted()
    return messageOf(error)
  }
}

async function callModels(
  target: MinerTarget,
  method: CollectOptions['method'],
  body: Uint8Array | undefined,
  options: ModelsOptions,
): Promise<Buffer> {
  const { signer, clock, signal } = options
  const signed = signRequest({
    signer,
    signedFor: target.hotkey,
    body: body ?? new Uint8Array(),
    nowMs: clock.now(),
  })
  const dispatcher = options.dispatcher ?? createMinerAgent()
  try {
    return await collectBody({
      dispatcher,
      clock,
      origin: target.url,
      path: '/models',
      method,
      headers: body ? { 'content-type': 'application/json', ...signed } : signed,
      body,
      timeoutMs: MODELS_TIMEOUT_MS,
      maxBytes: MODELS_BYTES,
      signal,
    })
  } finally {
    if (options.dispatcher === undefined) await dispatcher.destroy()
  }
}
